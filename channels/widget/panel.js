// The chat as the customer sees it: a launcher, a panel, a log of messages, a place to write.

import { h, icon } from "./dom.js";
import { Bubble } from "./bubble.js";
import { Composer } from "./composer.js";
import { Talk } from "./talk.js";
import { remember, remembered } from "./wire.js";
import { speak, words } from "./words.js";

const PHONE = matchMedia("(max-width: 520px)");
const WIDE = matchMedia("(min-width: 1000px)");
const TYPING = 8000; // ms one notice of typing lasts
const HAND = 1000; // ms after a touch of wheel, finger or key during which scrolling is the customer's
const MARGIN = 8; // px above an answer that is read from its beginning
const LEVEL = 90; // px from the bottom within which the log keeps following

export class Panel {
  #options;
  #talk;
  #bubbles = new Map(); // by message id
  #open = false;
  #inline = false;
  #stuck = true; // to the end of the log
  #read;
  #title = document.title;

  constructor(options) {
    this.#options = options;
    const page = options.lang || document.documentElement.lang || navigator.language;
    const chosen = remembered("aftercare language");
    this.lang = chosen?.page === page ? chosen.lang : speak(page);
    this.#talk = new Talk(options.server, { language: this.lang, name: options.name ?? "" });
    this.#read = remembered("aftercare read") ?? 0;
    this.page = page;
  }

  get words() {
    return words[this.lang];
  }

  async appear() {
    this.#build();
    this.#listen();
    await new Promise((done) => this.style.addEventListener("load", done, { once: true }));
    this.root.hidden = false;
    this.#settle();
    WIDE.addEventListener("change", () => this.#settle());
    this.#talk.resume();
  }

  // ---------------------------------------------------------------- what there is to see

  #build() {
    this.host = h("div");
    const shadow = this.host.attachShadow({ mode: "open" });
    this.style = h("link", { rel: "stylesheet", href: new URL("widget.css", this.#options.assets) });
    this.composer = new Composer(this, (parts) => this.#say(parts));
    this.intro = h("p", { class: "intro" });
    this.list = h("div", { class: "list" }, this.intro);
    this.log = h("div", { class: "log", role: "log", tabindex: 0, "aria-live": "off" }, this.list); // history is not read out
    this.typing = h("div", { class: "typing", hidden: true }, h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("span", { class: "unseen", role: "status" }));
    this.fresh = h("button", { class: "fresh", type: "button", hidden: true, onclick: () => this.#toEnd() }, icon("down"), h("span"));
    this.heading = h("h2", { id: "title" });
    this.status = h("p", { class: "status", role: "status" });
    this.switch = h("button", { class: "switch", type: "button", onclick: () => this.#speak(this.lang === "zh" ? "en" : "zh") });
    this.closer = h("button", { class: "quiet closer", type: "button", onclick: () => this.close() }, icon("close"));
    this.panel = h(
      "section",
      { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: true },
      h("div", { class: "head" }, h("span", { class: "mark" }, icon("wave")), h("div", {}, this.heading, this.status), this.switch, this.closer),
      h("div", { class: "middle" }, this.log, this.fresh),
      this.typing,
      this.composer.node,
    );
    this.badge = h("span", { class: "badge", "aria-hidden": "true" });
    this.launcher = h("button", { class: "launcher", type: "button", "aria-expanded": "false", onclick: () => this.open() }, icon("chat"), this.badge);
    this.root = h("div", { class: "root", hidden: true }, this.launcher, this.panel);
    shadow.append(this.style, this.root);
    document.body.append(this.host);
    this.#label();
  }

  #label() {
    const { words: say } = this;
    this.root.lang = this.lang === "zh" ? "zh-CN" : "en";
    this.heading.textContent = this.#options.title || say.title;
    this.intro.textContent = say.intro;
    this.log.setAttribute("aria-label", say.log);
    this.switch.textContent = say.other;
    this.switch.setAttribute("aria-label", say.toOther);
    this.switch.lang = this.lang === "zh" ? "en" : "zh-CN";
    this.closer.setAttribute("aria-label", say.close);
    this.fresh.lastChild.textContent = say.fresh;
    this.composer.label();
    for (const message of this.#talk.messages.values()) this.#draw(message);
    this.#connection();
    this.#count();
  }

  #speak(lang) {
    this.lang = this.#talk.person.language = lang;
    remember("aftercare language", { lang, page: this.page });
    this.#label();
  }

  // ---------------------------------------------------------------- open and closed

  // On wide screens the panel may live in the page; else it floats, and on a phone it fills the screen.
  #settle() {
    const place = WIDE.matches && this.#options.into ? document.querySelector(this.#options.into) : null;
    this.#inline = Boolean(place);
    this.root.classList.toggle("inline", this.#inline);
    this.host.dataset.aftercare = this.#inline ? "inline" : "floating";
    (place ?? document.body).append(this.host);
    this.panel.setAttribute("role", this.#inline ? "region" : "dialog");
    if (this.#inline || ("open" in this.#options && !PHONE.matches)) this.#show();
    else if (!this.#open) this.panel.hidden = true;
  }

  open() {
    this.#show();
    if (PHONE.matches && !this.#inline) this.closer.focus({ preventScroll: true }); // the keyboard would cover the greeting
    else this.composer.focus();
  }

  #show() {
    this.#open = true;
    this.panel.hidden = false;
    this.launcher.hidden = true;
    this.launcher.setAttribute("aria-expanded", "true");
    this.#fit();
    this.#toEnd();
    this.#count();
    this.#talk.open();
  }

  close() {
    this.#count(); // what stands there has been seen
    this.#open = false;
    this.panel.hidden = true;
    this.launcher.hidden = false;
    this.launcher.setAttribute("aria-expanded", "false");
    this.#fit();
    this.#count();
    this.launcher.focus({ preventScroll: true });
  }

  // A phone's keyboard shrinks only the visual viewport: the panel is laid over exactly that.
  #fit() {
    const full = this.#open && PHONE.matches && !this.#inline;
    this.panel.ariaModal = full ? "true" : null;
    this.panel.style.height = full ? `${visualViewport.height}px` : "";
    this.panel.style.top = full ? `${visualViewport.offsetTop}px` : "";
    document.documentElement.style.overflow = full ? "hidden" : "";
  }

  // ---------------------------------------------------------------- what happens

  #listen() {
    const talk = this.#talk;
    talk.addEventListener("message", ({ detail }) => this.#arrive(talk.messages.get(detail.id)));
    talk.addEventListener("gone", ({ detail }) => this.#forget(detail.id));
    talk.addEventListener("reset", () => this.#begin());
    talk.addEventListener("limits", () => this.composer.limit(talk.limits));
    talk.addEventListener("connection", () => this.#connection());
    talk.addEventListener("typing", ({ detail }) => this.#types(detail));
    talk.addEventListener("read", ({ detail }) => this.#seen(detail));
    addEventListener("aftercare:ask", ({ detail }) => (this.open(), this.#say({ text: String(detail) })));
    addEventListener("aftercare:open", () => this.open());
    document.addEventListener("visibilitychange", () => this.#count());
    visualViewport.addEventListener("resize", () => this.#fit());
    visualViewport.addEventListener("scroll", () => this.#fit());
    this.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    for (const hand of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      this.log.addEventListener(hand, () => (this.touched = performance.now()), { passive: true });
    }
    const grown = new ResizeObserver(() => this.#stuck && this.#toEnd());
    grown.observe(this.list);
    grown.observe(this.log);
    this.panel.addEventListener("keydown", (event) => this.#key(event));
    this.composer.acceptDrops(this.panel);
  }

  writes() {
    this.#talk.types();
  }

  #say(parts) {
    this.#talk.say(parts);
    this.#toEnd();
  }

  #arrive(message) {
    const known = this.#bubbles.has(message.id);
    this.#draw(message);
    if (message.author !== "customer") this.#types(null);
    if (!this.#stuck && !known && message.author !== "customer") this.fresh.hidden = false;
    this.#later();
  }

  #draw(message) {
    const bubble = this.#bubbles.get(message.id) ?? new Bubble(this, this.#talk);
    this.#bubbles.set(message.id, bubble);
    bubble.show(message);
    this.#place(bubble);
  }

  // In the order of seq, then what is still on its way in the order it was written.
  #place(bubble) {
    let before = this.list.lastElementChild;
    while (before !== this.intro && (before === bubble.node || before.rank > bubble.node.rank)) before = before.previousElementSibling;
    if (before.nextElementSibling !== bubble.node) before.after(bubble.node);
  }

  // Another chat than before: what belongs to the old one goes.
  #begin() {
    remember("aftercare read", (this.#read = 0));
    for (const id of [...this.#bubbles.keys()]) if (!this.#talk.messages.has(id)) this.#forget(id);
  }

  #forget(id) {
    this.#bubbles.get(id)?.node.remove();
    this.#bubbles.delete(id);
    this.#later();
  }

  // Once per burst of messages: group neighbours, show the last buttons only, count what is new.
  #later() {
    clearTimeout(this.tidying);
    this.tidying = setTimeout(() => this.#tidy(), 30);
  }

  #tidy() {
    const nodes = [...this.list.children].slice(1);
    let before, spoken, choosing;
    for (const node of nodes) {
      const { message } = node;
      node.bubble.follow(before, spoken);
      before = message;
      if (message.author !== "customer") spoken = message;
      if (message.author === "customer") choosing = null;
      else if (message.choices?.length) choosing = node;
    }
    for (const node of nodes) node.bubble.choosable(node === choosing);
    this.log.setAttribute("aria-live", "polite"); // from here on, what is added is read out
    this.#count();
  }

  #types(detail) {
    clearTimeout(this.typed);
    this.typing.hidden = !detail || detail.on === false;
    this.typing.lastChild.textContent = this.typing.hidden ? "" : `${this.words[detail.author] ?? this.words.bot} ${this.words.typing}`;
    if (!this.typing.hidden) this.typed = setTimeout(() => this.#types(null), TYPING);
  }

  #seen({ seq }) {
    for (const { node, seen } of this.#bubbles.values()) if (node.rank <= seq) seen.hidden = false;
  }

  #connection() {
    const say = () => {
      this.losing = clearTimeout(this.losing);
      this.status.textContent = this.#talk.online ? this.words.ready : this.words.away;
      this.root.classList.toggle("away", !this.#talk.online);
    };
    if (this.#talk.online) say();
    else this.losing ??= setTimeout(say, 2500); // a hiccup is not worth a word
  }

  // What came while nobody looked: on the launcher, and in the title of a hidden page.
  #count() {
    const theirs = [...this.#talk.messages.values()].filter((message) => message.seq && message.author !== "customer");
    if (this.#open && !document.hidden && theirs.length) remember("aftercare read", (this.#read = Math.max(...theirs.map(({ seq }) => seq))));
    const unread = theirs.filter(({ seq }) => seq > this.#read).length;
    this.badge.textContent = unread || "";
    this.launcher.setAttribute("aria-label", unread ? `${this.words.open} (${this.words.unread(unread)})` : this.words.open);
    document.title = unread && document.hidden ? `(${unread}) ${this.#title}` : this.#title;
  }

  #key(event) {
    if (event.key === "Escape" && !this.#inline && !event.isComposing) this.close();
    if (event.key !== "Tab" || this.panel.ariaModal !== "true") return;
    const stops = [...this.panel.querySelectorAll("button, textarea, a[href], [tabindex='0']")].filter((node) => node.checkVisibility() && !node.disabled);
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (this.host.shadowRoot.activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }

  // Only the customer's own scrolling lets go of the end: the log also moves when something in it grows or shrinks.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    const level = scrollHeight - scrollTop - clientHeight < LEVEL;
    if (level || performance.now() - this.touched < HAND) this.#stuck = level;
    this.fresh.hidden ||= level;
  }

  // To the last message: its end, or its beginning if it is an answer too long to be seen whole.
  #toEnd() {
    this.#stuck = true;
    this.fresh.hidden = true;
    const { node } = this.list.lastElementChild.bubble ?? {};
    const start = node ? node.offsetTop - this.list.offsetTop - MARGIN : Infinity;
    this.log.scrollTop = node?.message.author === "customer" ? this.log.scrollHeight : Math.min(start, this.log.scrollHeight);
  }
}
