// Keyboard shortcuts: single keys outside of fields, as the help overlay lists them.

import { at } from "./wire.js";

export function keys(talk) {
  let before = "";
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.isComposing || event.altKey || event.metaKey || event.ctrlKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && field) return field.blur();
    if (field) return;
    const pressed = before + event.key;
    before = event.key === "g" ? "g " : "";
    const does = { ...places, ...(talk?.keys ?? {}) }[pressed];
    if (!does) return;
    event.preventDefault();
    does();
  });
}

const places = {
  "g i": () => location.assign(`${at}/`),
  "g t": () => location.assign(`${at}/tickets`),
  "/": () => document.getElementById("q")?.focus(),
  "?": () => document.getElementById("keys").showModal(),
  j: () => step(1),
  k: () => step(-1),
};

// The next or previous conversation of the list: opened if one is open, else focused.
function step(by) {
  const items = [...document.querySelectorAll("#list .item")];
  if (!items.length) return;
  const here = items.findIndex((item) => item === document.activeElement || (item.ariaCurrent && !items.includes(document.activeElement)));
  const next = items[Math.min(Math.max(here + by, 0), items.length - 1)];
  if (items.some((item) => item.ariaCurrent)) next.click();
  else next.focus();
}
