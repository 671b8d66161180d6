// One conversation: what was said and done, in order, live; and who else is looking.

import { h } from "./dom.js";
import { markdown, plain } from "./markdown.js";
import { at, day, failed, fields, get, hour, icon, part, post, precise, say, times, toast, words } from "./wire.js";
import { openComposer } from "./composer.js";

const NEAR = 80; // pixels from the end that count as being at the end
const TOGETHER = 180; // seconds in which messages of one author stand under one name
const LOOKING = 9000; // milliseconds between two signs that somebody looks
const SHOWN = /^image\/(png|jpeg|webp|gif)$/;

export function openTalk(root) {
  const $ = (id) => document.getElementById(id);
  const number = root.dataset.number;
  const path = `/conversations/${encodeURIComponent(number)}`;
  const stream = $("stream");
  const items = []; // {key, at, author, node} in order of time
  const byKey = new Map();
  const names = JSON.parse($("names").textContent);
  let untold = true; // nobody has told yet how it stands: it is as the page was made
  let last = Number(root.dataset.from);
  let first = last + 1;
  let silence = 0;

  // -------------------------------------------------------------- what stands in the talk

  function put(key, when, author, node) {
    const old = byKey.get(key);
    const item = { key, at: when, author, node };
    byKey.set(key, item);
    if (old) {
      items[items.indexOf(old)] = item;
      old.node.replaceWith(node);
      return;
    }
    let place = items.length;
    while (place && items[place - 1].at > when) place--;
    items.splice(place, 0, item);
    $("messages").insertBefore(node, items[place + 1]?.node ?? null);
  }

  function tidy() {
    for (const node of $("messages").querySelectorAll(".day")) node.remove();
    let before = null;
    for (const item of items) {
      const today = day(item.at);
      if (!before || day(before.at) !== today) $("messages").insertBefore(h("li", { class: "day" }, today), item.node);
      const same = before && before.author === item.author && item.at - before.at < TOGETHER && day(before.at) === today;
      item.node.classList.toggle("same", Boolean(same));
      before = item;
    }
  }

  const ended = () => stream.scrollHeight - stream.scrollTop - stream.clientHeight < NEAR;
  const toEnd = () => (stream.scrollTop = stream.scrollHeight);

  function added(key, when, author, node) {
    const stay = ended();
    const fresh = !byKey.has(key);
    put(key, when, author, node);
    tidy();
    if (stay) toEnd();
    else if (fresh) $("latest").hidden = false;
  }

  function message(data, key = `m${data.seq}`) {
    const { author } = data;
    const text = author === "customer" ? h("p", {}, plain(data.text)) : markdown(data.text);
    const node = h(
      "li",
      { class: `message ${author}`, "data-seq": data.seq },
      h("div", { class: "by" }, h("strong", {}, author === "customer" ? who() : (names[data.agent] ?? say(author)))),
      h("div", { class: "text" }, data.text ? text : null, files(data.attachments)),
      data.choices.length ? h("ul", { class: "offered", "aria-label": say("offered") }, data.choices.map((one) => h("li", {}, one.label))) : null,
      h("div", { class: "foot" }, h("time", { title: precise(data.at) }, hour(data.at))),
    );
    added(key, data.at, `${author}${data.agent ?? ""}`, node);
  }

  function files(attachments) {
    return (attachments ?? []).map((one) => {
      const href = `${at}${path}/files/${encodeURIComponent(one.id)}`;
      if (SHOWN.test(one.type)) return h("a", { href, target: "_blank", rel: "noopener" }, h("img", { src: href, alt: one.name, loading: "lazy", onload: () => ended() && toEnd() }));
      return h("a", { class: "file", href, download: one.name }, icon("file"), one.name);
    });
  }

  function remark(data) {
    const node = h(
      "li",
      { class: "message remark" },
      h("div", { class: "by" }, icon("lock"), h("strong", {}, data.agent), say("remark")),
      h("div", { class: "text" }, h("p", {}, plain(data.text)), files(data.attachments)),
      h("div", { class: "foot" }, h("time", { title: precise(data.at) }, hour(data.at))),
    );
    added(`r${data.id}`, data.at, `remark ${data.agent}`, node);
  }

  function deed(data) {
    if (!words[`deed.${data.what}`]) return;
    const text = say(`deed.${data.what}`, { who: data.who || say("agent") });
    const why = data.what === "queue" && words[`reason.${data.reason}`] ? ` (${say(`reason.${data.reason}`)})` : "";
    added(`d${data.id}`, data.at, "deed", h("li", { class: "deed" }, `${text}${why} · `, h("time", { title: precise(data.at) }, hour(data.at))));
  }

  function delivery(states) {
    for (const [seq, { state, error, reply }] of Object.entries(states)) {
      const node = byKey.get(`m${seq}`)?.node;
      if (!node || (state === "sent" && node.classList.contains("system"))) continue;
      const foot = node.querySelector(".foot");
      foot.querySelector(".delivery")?.remove();
      node.classList.toggle("withdrawn", state === "withdrawn");
      const bad = state === "dead" || state === "uncertain";
      const told = h("span", { class: bad ? "delivery bad" : "delivery", title: error }, say(`state.${state}`));
      if (state === "dead" && root.dataset.may) told.append(" ", h("button", { type: "button", class: "button small", onclick: () => again(reply) }, say("retry")));
      foot.append(told);
    }
  }

  async function again(reply) {
    const result = await post(`${path}/retry`, { reply });
    if (result.status >= 400) failed(result);
  }

  const who = () => root.querySelector(".who h2")?.firstChild?.textContent.trim() || say("customer");

  // -------------------------------------------------------------- who is there

  function others(there) {
    const note = $("collision");
    if (!note) return;
    const typing = there.filter((one) => one.typing);
    const names = (typing.length ? typing : there).map((one) => one.name).join(", ");
    note.hidden = !there.length;
    note.textContent = there.length ? say(typing.length ? "others_typing" : "looking", { names }) : "";
    note.dataset.there = JSON.stringify(there);
  }

  function typing(data) {
    if (data.author !== "customer") return;
    const stay = ended();
    $("typing").hidden = false;
    if (stay) toEnd();
    clearTimeout(silence);
    silence = setTimeout(() => ($("typing").hidden = true), 5000);
  }

  function look(isTyping = false) {
    const looking = document.visibilityState === "visible";
    if (last) post(`${path}/seen`, { seq: looking ? last : 0, typing: isTyping, looking }).catch(() => {});
  }

  let soon = 0;
  function read() {
    clearTimeout(soon);
    soon = setTimeout(() => document.visibilityState === "visible" && look(), 300);
  }

  // -------------------------------------------------------------- what one does

  async function head() {
    const there = $("collision")?.dataset.there;
    const [top, side] = await Promise.all([part(`${path}/head${location.search}`), part(`${path}/side`)]);
    const open = $("more-acts")?.matches(":popover-open"); // what comes in closes no menu under the finger
    if (top) $("head").replaceChildren(...top);
    if (top && open) $("more-acts")?.showPopover();
    const noting = [...$("side").querySelectorAll("textarea")].some((note) => note.value);
    if (side && !noting) $("side").replaceChildren(...side);
    times($("head"));
    times($("side"));
    if (there) others(JSON.parse(there));
  }

  // A command; resolves to whether it was done, null if nobody knows. The same key changes nothing twice.
  async function command(name, data = {}, key = crypto.randomUUID()) {
    let result;
    try {
      result = await post(`${path}/commands/${name}`, { ...data, key });
    } catch {
      toast(say("lost"), true);
      return null;
    }
    if (result.status === 202) toast(say("underway"));
    else if (result.status !== 200) failed(result);
    if (result.status < 300 && name !== "say" && name !== "remark") head();
    return result.status < 300 || (result.status === 409 ? false : null);
  }

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-command], [data-open]");
    if (!button) return;
    button.closest("[popover]")?.hidePopover();
    if (button.dataset.open) open(button.dataset.open);
    else once(button, () => command(button.dataset.command, button.dataset.take ? { take: true } : {}));
  });

  // Some of a sheet's choices are as they are just now.
  async function open(sheet) {
    $(sheet)?.showModal();
    for (const select of $(sheet)?.querySelectorAll("[data-from]") ?? []) {
      const found = await part(`${path}/${select.dataset.from}`);
      if (found) select.replaceChildren(...found);
    }
  }

  async function once(button, does) {
    button.disabled = true;
    await does().finally(() => (button.disabled = false));
  }

  root.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-send]");
    if (!form || event.submitter?.value === "cancel") return;
    event.preventDefault();
    const data = said(form, event.submitter);
    const key = keyed(form, data);
    if (form.sending) return;
    form.sending = true;
    const done = await command(form.dataset.send, data, key).finally(() => (form.sending = false));
    if (done !== null) delete form.dataset.key; // refused or done: the next is another command
    if (!done) return;
    form.reset();
    form.closest("dialog").close();
  });

  // The key of what a form says: the same as long as that is not changed and nobody knows what came of it.
  function keyed(form, data) {
    const words = JSON.stringify(data);
    if (!form.dataset.key || form.words !== words) form.dataset.key = crypto.randomUUID();
    form.words = words;
    return form.dataset.key;
  }

  function said(form, submitter) {
    const data = fields(form);
    if (form.dataset.send === "snooze" && submitter.name === "for") data.until = new Date(Date.now() + submitter.value * 1000).toISOString();
    return data;
  }

  $("side").addEventListener("click", (event) => {
    const button = event.target.closest("[data-promise]");
    if (!button) return;
    $("promise-end-sheet").querySelector("[name=promise]").value = button.dataset.promise;
    $("promise-end-sheet").showModal();
  });

  $("older")?.addEventListener("click", async () => {
    const found = await get(`${path}/older?before=${first}`);
    const height = stream.scrollHeight;
    for (const one of found.messages ?? []) message(one);
    first = found.messages?.[0]?.seq ?? first;
    stream.scrollTop += stream.scrollHeight - height;
    if (!found.more) $("older").parentElement.remove();
  });

  $("latest").addEventListener("click", toEnd);
  stream.addEventListener("scroll", () => ended() && ($("latest").hidden = true));
  root.addEventListener("click", (event) => {
    if (!event.target.closest("#side-toggle")) return;
    const open = document.body.classList.toggle("side-open");
    event.target.closest("button").ariaExpanded = String(open);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && document.body.classList.remove("side-open"));
  $("stream").addEventListener("click", () => document.body.classList.remove("side-open"));

  const composer = $("composer") && root.dataset.may ? openComposer({ root, path, command, look, ended, toEnd }) : null;
  document.addEventListener("visibilitychange", () => look());
  setInterval(() => document.visibilityState === "visible" && look(composer?.typing()), LOOKING);

  return {
    number,
    last: () => last,
    keys: {
      c: () => root.querySelector('[data-command="claim"]')?.click(),
      b: () => root.querySelector('[data-command="back"]')?.click(),
      x: () => root.querySelector('[data-open="close-sheet"]')?.click(),
      r: () => composer?.as("say"),
      n: () => composer?.as("remark"),
      f: () => composer?.faq(),
    },
    listen(on) {
      on("message", (data) => {
        last = Math.max(last, data.seq);
        message(data);
        if (data.author === "customer") {
          $("typing").hidden = true;
          composer?.suggest(data.text);
        }
        read();
      });
      on("remark", remark);
      on("deed", deed);
      on("delivery", delivery);
      on("others", others);
      on("typing", typing);
      on("state", (state) => {
        const rendered = untold && String(state.epoch) === root.querySelector(".talk-head").dataset.epoch;
        untold = false;
        if (!rendered) head();
      });
    },
  };
}
