// Talking to the server, and saying what came of it.

import { h } from "./dom.js";

export const at = "/console";
export const words = JSON.parse(document.getElementById("words").textContent);
const csrf = document.querySelector("meta[name=csrf]").content;
const ours = window.trustedTypes?.createPolicy("fragment", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

export function say(key, values = {}) {
  const said = words[key] ?? key;
  return said.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

// POST; resolves to {status, ...answer}. Rejects only when the server could not be reached.
export async function post(path, data = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return answer(await fetch(at + path, { method: "POST", headers, body: JSON.stringify(data) }));
}

export async function upload(path, file) {
  const headers = { "Content-Type": file.type || "application/octet-stream", "X-CSRF-Token": csrf, "X-File-Name": encodeURIComponent(file.name) };
  return answer(await fetch(at + path, { method: "POST", headers, body: file }));
}

export async function get(path) {
  return answer(await fetch(at + path));
}

async function answer(response) {
  if (response.status === 401) return location.reload(), { status: 401 };
  const data = await response.json().catch(() => ({}));
  return { ...data, status: response.status };
}

// A part of a page, rendered by the server; null when it cannot be had just now.
export async function part(path) {
  const response = await fetch(at + path).catch(() => null);
  if (response?.status === 401) location.reload();
  if (!response?.ok) return null;
  const parsed = new DOMParser().parseFromString(ours.createHTML(await response.text()), "text/html");
  return [...parsed.body.childNodes];
}

export function toast(text, bad = false) {
  const note = h("p", { class: bad ? "toast bad" : "toast" }, text);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), bad ? 8000 : 3500);
}

export function failed(result) {
  const reason = result.reason && (words[`reason.${result.reason}`] ? say(`reason.${result.reason}`, result) : result.reason);
  const why = reason ?? result.error ?? result.status;
  toast(result.status === 409 && result.by ? say("taken", { who: result.by }) : say("failed", { why }), true);
}

// What a form says: times with their zone, and "agent:3" or "team:repair" as whom it goes to.
export function fields(form, submitter) {
  const data = Object.fromEntries(new FormData(form, submitter));
  for (const input of form.querySelectorAll("input[type=datetime-local]")) {
    if (data[input.name]) data[input.name] = new Date(data[input.name]).toISOString();
    else delete data[input.name];
  }
  for (const [name, value] of Object.entries(data)) {
    if (!name.startsWith("field:")) continue;
    (data.details ??= {})[name.slice(6)] = value;
    delete data[name];
  }
  if (data.to !== undefined) {
    const [kind, to] = data.to.split(/:(.*)/s);
    delete data.to;
    if (kind === "agent") data.to_agent = Number(to);
    if (kind === "team") data.to_team = to;
  }
  return data;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", new URL(`./icons.svg#${name}`, import.meta.url).pathname + `#${name}`);
  svg.append(use);
  return svg;
}

// ---------------------------------------------------------------- times

const locale = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(locale, { weekday: "short", month: "short", day: "numeric" });
const both = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

export const hour = (seconds) => clock.format(seconds * 1000);
export const day = (seconds) => date.format(seconds * 1000);
export const precise = (seconds) => exact.format(seconds * 1000);

function span(seconds) {
  const size = Math.abs(seconds);
  const [unit, length] = size < 3600 ? ["minute", 60] : size < 86400 ? ["hour", 3600] : ["day", 86400];
  return say(`span.${unit}`, { n: size < 60 ? "<1" : Math.floor(size / length) });
}

export function times(root = document) {
  for (const node of root.querySelectorAll("time.ago, time.moment")) {
    const seconds = Number(node.dataset.at);
    const text = node.classList.contains("ago") ? span(Date.now() / 1000 - seconds) : both.format(seconds * 1000);
    if (node.textContent !== text) node.textContent = text;
    if (!node.title) node.title = precise(seconds);
    if (!node.dateTime) node.dateTime = new Date(seconds * 1000).toISOString();
  }
}
