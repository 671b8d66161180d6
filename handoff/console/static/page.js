// Every page of the console: menu, keys, badge, and the one stream that keeps it live.

import { at, failed, fields, get, part, post, say, times, toast } from "./wire.js";
import { keys } from "./keys.js";
import { openTalk } from "./talk.js";

const $ = (id) => document.getElementById(id);
const list = $("list");
const title = document.title;
const talk = $("talk") ? openTalk($("talk")) : null;
let known = null; // counts told last
let stream = null;
let lost = 0;

// ---------------------------------------------------------------- the stream

function listen() {
  const place = talk ? `?conversation=${encodeURIComponent(talk.number)}&after=${talk.last()}` : "";
  stream = new EventSource(`${at}/events${place}`);
  const on = (name, does) => stream.addEventListener(name, (event) => does(JSON.parse(event.data)));
  stream.onopen = () => {
    lost = 0;
    document.body.classList.add("live");
  };
  stream.onerror = () => {
    document.body.classList.remove("live");
    if (++lost === 3) toast(say("lost"), true);
    if (stream.readyState === EventSource.CLOSED && !document.hidden) again();
  };
  on("counts", counted);
  on("bye", () => location.reload());
  talk?.listen(on);
}

// Browsers give a site few connections: a page nobody looks at lets go of its stream, but the one that notifies.
let speaker = false;
navigator.locks?.request("aftercare-speaker", () => ((speaker = true), new Promise(() => {})));
document.addEventListener("visibilitychange", () => {
  if (document.hidden && !speaker) setTimeout(() => document.hidden && stream.close(), 10000);
  else if (!document.hidden && stream.readyState === EventSource.CLOSED) listen();
});

// The browser gives up on an answer that is no stream: the session may be over, or the server just starts.
function again() {
  stream.close();
  setTimeout(async () => {
    const there = await get("/counts").catch(() => null);
    if (there?.status === 200) listen();
    else if (!there || there.status > 499) again();
  }, 1500);
}

function counted(counts) {
  for (const [name, n] of Object.entries(counts)) {
    for (const node of document.querySelectorAll(`[data-count="${name}"]`)) node.textContent = n || "";
  }
  const urgent = counts.unread + counts.queue;
  $("badge").textContent = urgent;
  $("badge").hidden = !urgent;
  document.title = urgent ? `(${urgent}) ${title}` : title;
  if (known && counts.queue > known.queue) tell(say("new_work"));
  else if (known && counts.unread > known.unread) tell(say("new_words"));
  known = counts;
  refresh();
}

async function refresh() {
  if (list) {
    const query = new URLSearchParams({ tab: list.dataset.tab, only: list.dataset.only, q: list.dataset.q, number: list.dataset.number });
    if (!list.dataset.q) swap(list, await part(`/list?${query}`));
  }
  for (const node of document.querySelectorAll("[data-live]")) swap(node, await part(node.dataset.live));
}

export function swap(node, parts) {
  if (!parts) return;
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset?.number : null;
  node.replaceChildren(...parts);
  times(node);
  if (focused) node.querySelector(`[data-number="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function tell(text) {
  if (document.hidden && window.Notification?.permission === "granted") {
    new Notification(say("product") === "product" ? "Aftercare" : say("product"), { body: text, tag: "aftercare" });
  }
}

// ---------------------------------------------------------------- the menu

function keep(name, value) {
  const life = value ? 31536000 : 0;
  document.cookie = `console-${name}=${value}; path=/console; max-age=${life}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  location.reload();
}

async function be(presence) {
  const result = await post("/presence", { presence });
  if (result.status === 200) location.reload();
}

$("presence")?.addEventListener("change", (event) => be(event.target.value));
$("language").addEventListener("change", (event) => keep("language", event.target.value));
$("theme").addEventListener("change", (event) => keep("theme", event.target.value));
$("sign-out").addEventListener("click", async () => {
  const result = await post("/logout");
  location.assign(result.go ?? at);
});
$("notify").addEventListener("click", async () => {
  const allowed = (await window.Notification?.requestPermission()) === "granted";
  toast(say(allowed ? "allowed" : "blocked"), !allowed);
});
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-presence], [data-keys]");
  if (asked?.dataset.presence) be(asked.dataset.presence);
  else if (asked) $("keys").showModal();
});
document.addEventListener("change", (event) => event.target.matches("[data-go]") && event.target.form.submit());

// Of a ticket's form only what its kind asks for is shown, and needed.
function kinded(select) {
  const among = (names) => names.split(" ").includes(select.value);
  for (const node of select.form.querySelectorAll("[data-required]")) {
    const { required, optional, always } = node.dataset;
    const input = node.matches("label") ? node.querySelector("input") : node;
    input.required = among(required);
    if (always !== undefined) continue;
    node.hidden = input.disabled = !(among(required) || among(optional));
    node.querySelector(".needed").hidden = !input.required;
  }
}
for (const select of document.querySelectorAll("[data-kind]")) kinded(select);
document.addEventListener("change", (event) => event.target.matches("[data-kind]") && kinded(event.target));
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-post]");
  if (!form) return;
  event.preventDefault();
  const data = fields(form, event.submitter);
  if ("key" in form.dataset) data.key = form.dataset.key ||= crypto.randomUUID();
  const result = await post(form.dataset.post, data).catch(() => ({ status: 599, error: say("lost") }));
  if ("key" in form.dataset && result.status < 500) form.dataset.key = ""; // tried again: the same key
  if (result.status >= 400) return failed(result);
  if (result.show) return ($(form.dataset.show).textContent = result.show), ($(form.dataset.show).hidden = false);
  location.assign(result.go ?? location.href);
});

const rail = document.querySelector(".rail"); // on a phone it is wider than the screen
const place = rail.querySelector("[aria-current]");
if (place) rail.scrollLeft = place.offsetLeft - (rail.clientWidth - place.clientWidth) / 2;
keys(talk);
times();
setInterval(times, 15000);
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => event.persisted && listen());
listen();
