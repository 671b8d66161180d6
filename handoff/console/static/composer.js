// Where an agent writes: replies and internal notes, files, standard phrases, answers from the FAQ.

import { h } from "./dom.js";
import { failed, get, icon, say, toast, upload } from "./wire.js";

const PAUSE = 3000; // milliseconds between two signs that somebody types

export function openComposer({ root, path, command, look, ended, toEnd }) {
  const $ = (id) => document.getElementById(id);
  const form = $("composer");
  const text = $("text");
  const kept = `draft ${root.dataset.number}`;
  const lang = root.dataset.lang;
  let attached = [];
  let sending = { words: "", key: "" };
  let typed = 0;
  let phrases = null;
  let question = "";
  let asking = 0;

  text.value = localStorage.getItem(kept) ?? "";

  function as(kind) {
    form.dataset.as = kind;
    for (const tab of form.querySelectorAll(".tab")) tab.ariaPressed = String(tab.dataset.as === kind);
    text.placeholder = text.dataset[kind];
    $("text-label").textContent = form.querySelector(`.tab[data-as="${kind}"]`).textContent.trim();
    text.focus();
  }

  form.addEventListener("click", (event) => {
    const tab = event.target.closest(".tab");
    if (tab) as(tab.dataset.as);
  });

  // -------------------------------------------------------------- sending

  async function send() {
    const said = text.value.trim();
    if (!said && !attached.length) return text.focus();
    const files = attached.map((one) => one.id);
    const kind = form.dataset.as;
    const what = JSON.stringify([kind, said, files]);
    if (sending.words !== what) sending = { words: what, key: crypto.randomUUID() }; // tried again: the same key
    $("send").disabled = true;
    const done = await command(kind, { text: said, files }, sending.key);
    $("send").disabled = false;
    if (done !== null) sending = { words: "", key: "" }; // what was refused may be sent anew, as another command
    if (!done) return;
    text.value = "";
    localStorage.removeItem(kept);
    attached = [];
    listed();
    toEnd();
    text.focus();
    if (kind === "remark") as("say");
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      send();
    }
  });
  text.addEventListener("input", () => {
    localStorage.setItem(kept, text.value);
    if (form.dataset.as === "say" && Date.now() - typed > PAUSE) {
      typed = Date.now();
      look(true);
    }
  });

  function insert(words) {
    const [from, to] = [text.selectionStart, text.selectionEnd];
    text.setRangeText(words, from, to, "end");
    text.dispatchEvent(new Event("input"));
    text.focus();
  }

  // -------------------------------------------------------------- files

  async function attach(files) {
    for (const file of files) {
      const waiting = h("li", {}, say("uploading"));
      $("files").hidden = false;
      $("files").append(waiting);
      const result = await upload(`${path}/files`, file).catch(() => ({ status: 0, error: say("lost") }));
      waiting.remove();
      if (result.status === 201) attached.push(result.attachment);
      else failed(result);
      listed();
    }
  }

  function listed() {
    $("files").hidden = !attached.length;
    $("files").replaceChildren(
      ...attached.map((one) => {
        const drop = () => ((attached = attached.filter((other) => other !== one)), listed());
        return h("li", {}, one.name, h("button", { type: "button", "aria-label": say("remove", { name: one.name }), onclick: drop }, icon("x")));
      }),
    );
  }

  $("attach").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => attach([...$("file").files]).then(() => ($("file").value = "")));
  text.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) event.preventDefault(), attach([...event.clipboardData.files]);
  });
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    attach([...event.dataTransfer.files]);
  });

  // -------------------------------------------------------------- phrases and answers

  function pick(list, found, none) {
    const item = (one) => h("li", {}, h("button", { type: "button", onclick: () => (list.closest("dialog").close(), insert(one.text)) }, h("strong", {}, one.name), h("small", {}, one.text)));
    list.replaceChildren(...(found.length ? found.map(item) : [h("li", { class: "soft" }, none)]));
  }

  async function showPhrases() {
    phrases ??= (await get(`${path}/canned`)).phrases ?? [];
    const wanted = $("canned-q").value.trim().toLowerCase();
    pick($("canned-picks"), phrases.filter((one) => `${one.name} ${one.text}`.toLowerCase().includes(wanted)), say("no_phrases"));
  }

  async function showAnswers() {
    const asked = $("faq-q").value.trim();
    const mine = ++asking;
    const found = asked ? ((await get(`/faq/search?q=${encodeURIComponent(asked)}&lang=${lang}`)).answers ?? []) : [];
    if (mine === asking) pick($("faq-picks"), found, asked ? say("no_answers") : "");
  }

  function faq() {
    $("faq-q").value = question;
    $("faq-sheet").showModal();
    showAnswers();
  }

  $("canned-q").addEventListener("input", showPhrases);
  $("faq-q").addEventListener("input", () => {
    clearTimeout(typed.faq);
    setTimeout(showAnswers, 120);
  });
  for (const [sheet, does] of [["canned-sheet", showPhrases], ["faq-sheet", showAnswers]]) {
    new MutationObserver(() => $(sheet).open && does()).observe($(sheet), { attributes: true, attributeFilter: ["open"] });
    $(sheet).addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.type !== "search") return;
      event.preventDefault();
      $(sheet).querySelector(".picks button")?.click();
    });
  }

  // What the matcher would answer to the customer's last question; the server knows which of his words are one.
  let wondering = 0;
  function suggest(words) {
    question = words.trim().slice(0, 300) || question;
    clearTimeout(wondering);
    wondering = setTimeout(async () => {
      const found = (await get(`${path}/suggested`).catch(() => ({}))).answers ?? [];
      const likely = found.filter((one) => one.confidence >= 0.15).slice(0, 3);
      const stay = ended();
      $("suggestions").hidden = !likely.length;
      $("suggestions").replaceChildren(...likely.map((one) => h("button", { type: "button", title: one.text, onclick: () => insert(one.text) }, one.name)));
      if (stay) toEnd();
    }, 400);
  }

  return { as, faq, suggest, typing: () => Date.now() - typed < PAUSE * 2 };
}
