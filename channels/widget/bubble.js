// One message of the log.

import { h, icon } from "./dom.js";
import { markdown, plain } from "./markdown.js";

const TOGETHER = 5 * 60 * 1000; // ms within which messages of one author belong together
export const PICTURES = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const THUMB = { width: 240, height: 200 }; // CSS px
const format = (lang) => ({
  clock: new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  day: new Intl.DateTimeFormat(lang, { weekday: "long", month: "long", day: "numeric" }),
});
const formats = { en: format("en"), zh: format("zh") }; // made once: each costs more than a bubble

export class Bubble {
  #panel;
  #talk;
  #drawn = "";

  constructor(panel, talk) {
    this.#panel = panel;
    this.#talk = talk;
    this.node = h("article", { class: "message" });
    this.node.bubble = this;
    this.seen = h("span", { class: "seen", hidden: true });
  }

  show(message) {
    const { words, lang } = this.#panel;
    const { author, state, waiting, progress, seq, at } = message;
    this.node.message = message;
    this.node.rank = seq ?? 1e15 + at;
    if (this.bar) this.bar.value = progress ?? 0;
    const drawn = JSON.stringify([lang, { ...message, progress: undefined, file: undefined }]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.node.className = `message ${author} ${state ?? ""}`;
    this.day = h("p", { class: "day" });
    this.who = h("p", { class: "who" }, author === "agent" && message.name ? message.name : words[author === "customer" ? "you" : author]);
    this.choices = h("div", { class: "choices", role: "group", "aria-label": words.choices }, (message.choices ?? []).map((choice) => this.#button(choice)));
    this.seen.textContent = ` · ${words.read}`;
    const text = message.text && h("div", { class: "text", dir: "auto" }, author === "customer" ? h("p", {}, plain(message.text)) : markdown(message.text));
    this.node.replaceChildren(this.day, this.who, ...[...this.#files(message), text].filter(Boolean), this.#foot(message, state, waiting), this.choices);
    this.choosable(this.choosing);
  }

  #foot({ id, at, reason }, state, waiting) {
    const { words, lang } = this.#panel;
    const time = new Date(at);
    const clock = h("time", { datetime: time.toISOString() }, formats[lang].clock.format(time));
    if (state === "failed") {
      const again = h("button", { type: "button", onclick: () => this.#talk.retry(id) }, words.retry);
      const away = h("button", { type: "button", onclick: () => this.#talk.discard(id) }, words.discard);
      return h("p", { class: "foot", role: "status", title: reason }, words.failed, " · ", again, " · ", away);
    }
    return h("p", { class: "foot" }, state === "sending" ? (waiting ? words.waiting : words.sending) : clock, this.seen);
  }

  #button({ id, label }) {
    const press = () => {
      this.#talk.say({ choice: id, text: label });
      this.#panel.composer.focus();
    };
    const [digit, face] = id.startsWith("rate:") ? label.split(" ") : [];
    if (face) return h("button", { type: "button", class: "score", "aria-label": label, onclick: press }, h("span", {}, face), h("small", {}, digit));
    return h("button", { type: "button", class: [...label].length < 3 ? "short" : null, onclick: press }, label);
  }

  // ---------------------------------------------------------------- files

  #files({ file, attachments, state }) {
    if (attachments?.length) return attachments.map((attachment) => this.#attachment(attachment, file));
    if (!file) return [];
    this.bar = state === "sending" ? h("progress", { max: 1, value: 0, "aria-label": this.#panel.words.uploading }) : null;
    return [h("div", { class: "file" }, PICTURES.includes(file.type) ? (this.sketch ??= sketch(file, THUMB)) : paper(file), this.bar)];
  }

  #attachment(attachment, file) {
    this.bar = null;
    const url = attachment.url && new URL(`.${attachment.url}`, this.#talk.server);
    const link = h("a", { class: "file", href: url, target: "_blank", rel: "noopener", "aria-label": `${attachment.name}, ${size(attachment.size)}` });
    if (!PICTURES.includes(attachment.type)) link.append(paper(attachment));
    else if (file) link.append((this.sketch ??= sketch(file, THUMB)));
    else {
      const image = h("img", { src: url, alt: attachment.name, loading: "lazy", decoding: "async" });
      image.onerror = () => link.replaceChildren(paper(attachment));
      link.append(image);
    }
    return link;
  }

  // ---------------------------------------------------------------- among its neighbours

  // `before` stands above it, `spoken` is the last of our side's. A name and a time are shown once, until there is a pause.
  follow(before, spoken) {
    const { author, name, at } = this.node.message;
    const sameDay = Boolean(before) && new Date(before.at).toDateString() === new Date(at).toDateString();
    const soon = sameDay && at - before.at < TOGETHER;
    this.day.hidden = sameDay;
    if (!sameDay) this.day.textContent = this.#dayOf(new Date(at));
    this.node.classList.toggle("together", soon && before.author === author);
    this.node.previousElementSibling.classList.toggle("untimed", soon);
    this.node.classList.remove("untimed");
    this.who.classList.toggle("unseen", author === "customer" || (soon && spoken?.author === author && spoken.name === name));
  }

  #dayOf(date) {
    const { words, lang } = this.#panel;
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
    if (days < 2) return days ? words.yesterday : words.today;
    return formats[lang].day.format(date);
  }

  choosable(yes) {
    this.choosing = yes;
    this.choices.hidden = !yes || !this.choices.childElementCount;
  }
}

// A small picture, drawn from the file itself: no address is made, so no policy of the page stands in the way.
export function sketch(file, most) {
  const canvas = h("canvas", { class: "sketch", role: "img", "aria-label": file.name, width: 1, height: 1 });
  createImageBitmap(file)
    .then((picture) => {
      const scale = Math.min(most.width / picture.width, most.height / picture.height, 1);
      const [width, height] = [picture.width * scale, picture.height * scale];
      canvas.width = width * devicePixelRatio;
      canvas.height = height * devicePixelRatio;
      canvas.style.width = `${width}px`;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    })
    .catch(() => canvas.replaceWith(paper(file)));
  return canvas;
}

export function paper({ name, size: bytes }, sign = icon("file")) {
  return h("span", { class: "paper" }, sign, h("span", {}, h("b", { dir: "auto" }, name), h("small", {}, size(bytes))));
}

function size(bytes) {
  return bytes < 1 << 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`;
}
