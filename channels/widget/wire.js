// Small things a talk over a bad line needs: kinds of failure, ids, a memory that outlives the page.

// No answer, or one that says "later": worth trying again. Everything else the server refused for good.
export class Later extends Error {
  constructor(seconds) {
    super();
    this.pause = seconds * 1000;
  }
}

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// What the server said: its JSON, or the right kind of failure.
export function outcome(status, retryAfter, text) {
  if (status >= 200 && status < 300) return JSON.parse(text);
  if (status === 429 || status >= 500) throw new Later(Number(retryAfter) || 0);
  let reason = "";
  try {
    reason = JSON.parse(text).error;
  } catch {
    // a proxy's page, say; the status is all there is
  }
  throw new Refused(status, reason);
}

// crypto.randomUUID exists on https and localhost only; the widget also lives on plain http.
export function uuid() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}

// One tab at a time: two that open together share one session.
export function locked(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}

export function remembered(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // storage is off: the session lives as long as the page
  }
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
