// Building DOM nodes. Text is always a text node: nothing here, or anywhere in the widget, parses HTML.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

const shapes = {
  chat: "M12 3.5c5 0 9 3.3 9 7.5s-4 7.5-9 7.5c-.9 0-1.8-.1-2.6-.3L5 20.5l.8-3.6C4.1 15.5 3 13.4 3 11c0-4.2 4-7.5 9-7.5z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4.5 12h13M12 5.5l6.5 6.5-6.5 6.5",
  clip: "M20 11.5l-8.3 8.2a5 5 0 0 1-7.1-7.1l8.6-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.4a1.7 1.7 0 0 1-2.4-2.4l7.8-7.7",
  file: "M7 3.5h7l4.5 4.5v12.5h-11.5zM14 3.5v4.5h4.5",
  down: "M12 5v13M6 12.5l6 6 6-6",
  wave: "M5 12.5a10 10 0 0 1 14 0M8 15.7a5.7 5.7 0 0 1 8 0M12 19h.01M2.5 9a14 14 0 0 1 19 0",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", shapes[name]);
  svg.append(path);
  return svg;
}
