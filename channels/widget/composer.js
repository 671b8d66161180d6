// Where the customer writes, and puts pictures and files.

import { PICTURES, paper, sketch } from "./bubble.js";
import { h, icon } from "./dom.js";

const TYPING = 3000; // ms between two signs that somebody types
const STAMP = { width: 44, height: 44 }; // CSS px

export class Composer {
  #panel;
  #say;
  #limits = { chars: 8000, bytes: 10 << 20, types: [] };
  #files = [];
  #typed = 0; // when that was told last
  #stamps = new WeakMap(); // file -> its small picture

  constructor(panel, say) {
    this.#panel = panel;
    this.#say = say;
    this.area = h("textarea", { rows: 1, enterkeyhint: "send", dir: "auto", oninput: () => (this.#grow(), this.#types()), onkeydown: (event) => this.#key(event), onpaste: (event) => this.#paste(event) });
    this.input = h("input", { type: "file", multiple: true, hidden: true, onchange: () => this.#choose() });
    this.attach = h("button", { class: "quiet", type: "button", onclick: () => this.input.click() }, icon("clip"));
    this.send = h("button", { class: "send", type: "submit", disabled: true }, icon("send"));
    this.staged = h("ul", { class: "staged", hidden: true });
    this.problem = h("p", { class: "problem", role: "alert" });
    const row = h("div", { class: "row" }, this.attach, this.area, this.send);
    this.node = h("form", { class: "composer", onsubmit: (event) => this.#submit(event) }, this.staged, this.problem, row, this.input);
    this.veil = h("div", { class: "veil", hidden: true });
  }

  label() {
    const { words } = this.#panel;
    this.area.placeholder = words.placeholder;
    this.area.setAttribute("aria-label", words.message);
    this.attach.setAttribute("aria-label", words.attach);
    this.attach.title = words.attach;
    this.send.setAttribute("aria-label", words.send);
    this.veil.textContent = words.drop;
    this.#stage();
  }

  limit(limits) {
    this.#limits = limits;
    this.area.maxLength = limits.chars;
    this.input.accept = limits.types.join(",");
  }

  focus() {
    this.area.focus({ preventScroll: true });
  }

  acceptDrops(panel) {
    let depth = 0;
    const veil = (change) => (this.veil.hidden = (depth = Math.max(0, depth + change)) === 0);
    const files = (event) => event.dataTransfer.types.includes("Files");
    panel.append(this.veil);
    panel.addEventListener("dragenter", (event) => files(event) && (event.preventDefault(), veil(1)));
    panel.addEventListener("dragleave", (event) => files(event) && veil(-1));
    panel.addEventListener("dragover", (event) => files(event) && event.preventDefault());
    panel.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      veil(-depth);
      this.#add(event.dataTransfer.files);
    });
  }

  #submit(event) {
    event.preventDefault();
    const text = this.area.value.trim();
    const files = this.#files.splice(0);
    if (!text && !files.length) return;
    const last = files.pop();
    for (const file of files) this.#say({ file });
    this.#say({ text, file: last });
    this.area.value = "";
    this.#stage();
    this.#grow();
    this.focus();
  }

  // Tells now and then that something is being written.
  #types() {
    if (!this.area.value.trim() || Date.now() - this.#typed < TYPING) return;
    this.#typed = Date.now();
    this.#panel.writes();
  }

  // Enter sends, but not the Enter that picks a word in an input method.
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.node.requestSubmit();
  }

  #paste(event) {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    this.#add(event.clipboardData.files);
  }

  #choose() {
    this.#add(this.input.files);
    this.input.value = "";
    this.focus();
  }

  #add(files) {
    const { words } = this.#panel;
    this.problem.textContent = "";
    for (const file of files) {
      const { types, bytes } = this.#limits;
      if (file.size > bytes) this.problem.textContent = words.tooLarge(file.name, Math.round(bytes / (1 << 20)));
      else if (file.type && types.length && !types.includes(file.type)) this.problem.textContent = words.wrongType(file.name);
      else this.#files.push(file);
    }
    this.#stage();
  }

  #stage() {
    const rows = this.#files.map((file) => {
      const remove = () => {
        this.#files = this.#files.filter((other) => other !== file);
        this.#stage();
        this.focus();
      };
      const button = h("button", { class: "quiet", type: "button", "aria-label": this.#panel.words.remove(file.name), onclick: remove }, icon("close"));
      const stamp = PICTURES.includes(file.type) ? (this.#stamps.get(file) ?? sketch(file, STAMP)) : undefined;
      if (stamp) this.#stamps.set(file, stamp);
      return h("li", {}, paper(file, stamp), button);
    });
    this.staged.replaceChildren(...rows);
    this.staged.hidden = !rows.length;
    this.#ready();
  }

  #grow() {
    this.problem.textContent = "";
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(this.area.scrollHeight, 132)}px`;
    this.#ready();
  }

  #ready() {
    this.send.disabled = !this.area.value.trim() && !this.#files.length;
  }
}
