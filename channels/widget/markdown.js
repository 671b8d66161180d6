// A small markdown, from text straight to DOM nodes: whatever is not markup is text.

import { h } from "./dom.js";

const LIST = /^( *)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const FENCE = /^ *(`{3,}|~{3,})/;
const RULE = /^ *([-*_])( *\1){2,} *$/;
const TABLE = /^ *\|? *:?-+:? *(\| *:?-+:? *)*\|? *$/;
const WHOLE = /^[!-)+-~]{1,24}$/; // a number or a name, not to be broken at its hyphen
const INLINE = new RegExp(
  [
    /\\([!-/:-@[-`{-~])/, // 1: an escaped mark
    /(`+)(.+?)\2(?!`)/, // 3: code
    /\*\*(?=\S)(.*?\S)\*\*(?!\*)/, // 4: bold
    /(?<!\w)__(?=\S)(.*?\S)__(?!\w)/, // 5: bold
    /\*(?=[^\s*])(.*?[^\s*])\*(?!\*)/, // 6: italic
    /(?<!\w)_(?=[^\s_])(.*?[^\s_])_(?!\w)/, // 7: italic
    /~~(?=\S)(.*?\S)~~/, // 8: struck out
    /\[((?:[^[\]\\]|\\.)+)\]\(<?((?:https?:\/\/|mailto:|tel:)[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?\)/, // 9, 10: link
    /(https?:\/\/[^\s<>"'`*()（）【】「」《》,。;!?、,]*[^\s<>"'`*()（）【】「」《》,。;!?、,.:;!])/, // 11: bare address
  ]
    .map((part) => part.source)
    .join("|"),
  "s",
);

export function markdown(text) {
  return blocks(text.replace(/\t/g, "    ").split("\n"));
}

function blocks(lines) {
  const nodes = [];
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) lines.shift();
    else if (FENCE.test(line)) nodes.push(fence(lines));
    else if (RULE.test(line)) lines.shift(), nodes.push(h("hr"));
    else if (LIST.test(line)) nodes.push(list(lines));
    else if (/^ *>/.test(line)) nodes.push(quote(lines));
    else if (/^#{1,6} /.test(line)) nodes.push(h("p", {}, h("strong", {}, inline(lines.shift().replace(/^#+ +| +#* *$/g, "")))));
    else if (line.includes("|") && lines[1]?.includes("|") && TABLE.test(lines[1])) nodes.push(table(lines));
    else nodes.push(paragraph(lines));
  }
  return nodes;
}

function fence(lines) {
  const mark = FENCE.exec(lines.shift())[1];
  const end = lines.findIndex((line) => line.trimStart().startsWith(mark));
  const inside = lines.splice(0, end < 0 ? lines.length : end + 1);
  if (end >= 0) inside.pop();
  return h("pre", { tabindex: 0 }, h("code", {}, inside.join("\n")));
}

function list(lines) {
  const [, outer, bullet, first] = LIST.exec(lines[0]);
  const items = [];
  while (lines.length) {
    const found = LIST.exec(lines[0]);
    if (!found || found[1].length > outer.length + 1 || !found[2] !== !bullet) break;
    lines.shift();
    const inside = [found[4]];
    while (lines.length && belongs(lines, found[1].length)) inside.push(lines.shift());
    items.push(item(inside));
    while (lines.length > 1 && !lines[0].trim() && LIST.test(lines[1])) lines.shift();
  }
  return bullet ? h("ul", {}, items) : h("ol", { start: first === "1" ? null : first }, items);
}

// Does the next line continue the list item? Deeper lines do, and a lazy line of text does.
function belongs(lines, indent) {
  const depth = lines[0].search(/\S/);
  if (depth < 0) return lines.length > 1 && lines[1].search(/\S/) > indent + 1;
  return depth > indent + 1 || !(LIST.test(lines[0]) || FENCE.test(lines[0]) || RULE.test(lines[0]));
}

function item(lines) {
  const depth = Math.min(...lines.slice(1).filter((line) => line.trim()).map((line) => line.search(/\S/)));
  const nodes = blocks(lines.map((line, at) => (at ? line.slice(depth) : line)));
  return h("li", {}, nodes[0]?.tagName === "P" ? [...nodes[0].childNodes] : nodes[0], nodes.slice(1));
}

function quote(lines) {
  const inside = [];
  while (lines.length && lines[0].trim() && (/^ *>/.test(lines[0]) || inside.length)) inside.push(lines.shift().replace(/^ *> ?/, ""));
  return h("blockquote", {}, blocks(inside));
}

function table(lines) {
  const row = (tag) => h("tr", {}, cells(lines.shift()).map((cell) => h(tag, {}, inline(cell))));
  const head = row("th");
  lines.shift();
  const body = [];
  while (lines.length && lines[0].includes("|")) body.push(row("td"));
  return h("div", { class: "table", tabindex: 0 }, h("table", {}, h("thead", {}, head), h("tbody", {}, body)));
}

function cells(line) {
  const inside = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function paragraph(lines) {
  const inside = [lines.shift().trim()];
  while (lines.length && lines[0].trim() && !(LIST.test(lines[0]) || FENCE.test(lines[0]) || /^ *>/.test(lines[0]))) {
    inside.push(lines.shift().trim());
  }
  return h("p", {}, inline(inside.join("\n")));
}

function inline(text) {
  const nodes = [];
  for (let found; (found = INLINE.exec(text)); text = text.slice(found.index + found[0].length)) {
    nodes.push(...plain(text.slice(0, found.index)), marked(found));
  }
  return [...nodes, ...plain(text)];
}

function marked([whole, escaped, , code, bold, strong, italic, emphasis, struck, label, url, bare]) {
  if (escaped) return escaped;
  if (code) return h("code", {}, code.trim() || code);
  if (bold ?? strong) return h("strong", { class: WHOLE.test(bold ?? strong) ? "whole" : null }, inline(bold ?? strong));
  if (italic ?? emphasis) return h("em", {}, inline(italic ?? emphasis));
  if (struck) return h("s", {}, inline(struck));
  if (url) return link(url, inline(label));
  return bare ? link(bare, [bare]) : whole;
}

function link(url, label) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}

// In a chat a line end is meant.
export function plain(text) {
  return text.split("\n").flatMap((line, at) => (at ? [h("br"), line] : [line]));
}
