// The talk with the server: a session, a line of messages on their way out, a stream of what has happened.

import { Shelf } from "./shelf.js";
import { events } from "./stream.js";
import { Later, locked, outcome, Refused, remember, remembered, sleep, uuid } from "./wire.js";

const PAUSE = { first: 1000, most: 15000 }; // ms between tries
const longer = (pause) => Math.min(pause * 1.6, PAUSE.most);
const SILENCE = 40000; // ms; the server says at least a comment every 15 s
const FRESH = 6 * 3600 * 1000; // ms after which the addresses of pictures are asked for anew

export class Talk extends EventTarget {
  messages = new Map(); // by id; the customer's own under the id made here
  limits = { chars: 8000, bytes: 10 << 20, types: [] };
  online = true;

  #session;
  #asked; // the request for a session that is under way
  #shelf;
  #line = []; // unsent, oldest first
  #sending = false;
  #opened = false;
  #following = null; // the stream's AbortController
  #seq = 0;
  #fetched = 0; // when the whole history was last read
  #refetched = new Set(); // gaps that were asked about already
  #wakers = new Set();

  constructor(server, person) {
    super();
    this.server = server;
    this.person = person; // {language, name}
    this.#shelf = new Shelf(`aftercare ${server}`);
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
    addEventListener("storage", ({ key }) => key === this.#key && !this.#session && this.resume()); // begun in another tab
  }

  // Take up where the last page left off; nothing is asked of the server for somebody who has never written.
  async resume() {
    this.#session = this.#kept();
    if (this.#session) this.#begin();
    for (const item of await this.#shelf.all()) {
      if (!this.messages.has(item.id)) this.#join(item);
      else if (this.messages.get(item.id).seq) this.#shelf.drop(item.id);
    }
    this.#send();
  }

  // The customer has opened the chat: from now on there is a session, and the bot may greet.
  async open() {
    this.#opened = true;
    for (let pause = PAUSE.first; !this.#session; pause = longer(pause)) {
      try {
        await this.#enter();
      } catch (error) {
        this.#connected(false);
        await this.#rest(error.pause || pause);
      }
    }
  }

  say({ text = "", choice, file }) {
    const item = { id: uuid(), at: Date.now(), text, choice, file, state: "sending" };
    this.#shelf.keep(item);
    this.#join(item);
    this.#send();
  }

  retry(id) {
    const item = { ...this.messages.get(id), state: "sending", at: Date.now() };
    this.#shelf.keep(item);
    this.#join(item);
    this.#send();
  }

  discard(id) {
    this.messages.delete(id);
    this.#shelf.drop(id);
    this.#tell("gone", { id });
  }

  // ---------------------------------------------------------------- the session

  get #key() {
    return `aftercare ${this.server}`;
  }

  #kept() {
    return remembered(this.#key)?.token && remembered(this.#key);
  }

  async #enter() {
    this.#asked ??= locked(this.#key, async () => {
      this.#session = this.#kept() ?? (await this.#ask("chat/session", { ...this.person, hello: true }, false));
      remember(this.#key, this.#session);
    });
    try {
      await this.#asked;
    } finally {
      this.#asked = null;
    }
    this.#begin();
  }

  #begin() {
    Object.assign(this.limits, this.#session.limits);
    this.#tell("limits");
    if (!this.#following) this.#follow();
  }

  #leave() {
    remember(this.#key, null);
    this.#session = null;
    this.#seq = 0;
    this.#following?.abort();
    for (const [id, { seq }] of this.messages) if (seq) this.messages.delete(id);
    this.#tell("reset");
    for (const item of this.#line) delete item.attachment; // it belonged to the other chat
  }

  // ---------------------------------------------------------------- out

  #join(item) {
    this.messages.set(item.id, { author: "customer", ...item });
    if (item.state === "sending") this.#line.push(item);
    this.#tell("message", item);
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    for (let pause = PAUSE.first; this.#line.length; ) {
      const item = this.#line[0];
      try {
        if (!this.#session) await this.#enter();
        if (item.file && !item.attachment) item.attachment = await this.#upload(item);
        const { id, text, choice, attachment } = item;
        await this.#ask("chat/messages", { id, text, choice, attachment: attachment?.id, language: this.person.language });
        this.#settle(item, "sent");
        this.#wake(); // the stream need not wait either
        pause = PAUSE.first;
      } catch (error) {
        if (error instanceof Refused && error.status !== 401) {
          this.#settle(item, "failed", error.message);
          continue;
        }
        if (error.status === 401) this.#leave();
        this.#change(item, { waiting: true });
        await this.#rest(error.pause || pause);
        pause = longer(pause);
      }
    }
    this.#sending = false;
  }

  #settle(item, state, reason = "") {
    this.#line.shift();
    if (state === "sent") this.#shelf.drop(item.id);
    else this.#shelf.keep({ ...item, state, reason });
    this.#change(item, { state, reason, waiting: false });
  }

  #change(item, changes) {
    const message = this.messages.get(item.id);
    if (!message || message.seq) return; // the server's own word is newer
    Object.assign(message, changes);
    this.#tell("message", message);
  }

  async #ask(path, body, signed = true) {
    const headers = { "Content-Type": "application/json", ...(signed && this.#authorization) };
    const request = { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(20000) };
    const answer = await fetch(new URL(path, this.server), request).catch(() => {
      throw new Later(0);
    });
    return outcome(answer.status, answer.headers.get("Retry-After"), await answer.text().catch(() => ""));
  }

  // Whoever is on the other side sees that something is being written; nothing is lost if he does not.
  types() {
    if (this.#session) this.#ask("chat/typing", {}).catch(() => {});
  }

  // fetch tells no progress of what goes up, so this one place uses XMLHttpRequest.
  #upload(item) {
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      request.open("POST", new URL("chat/files", this.server));
      request.setRequestHeader("Authorization", this.#authorization.Authorization);
      request.setRequestHeader("Content-Type", item.file.type || "application/octet-stream");
      request.setRequestHeader("X-File-Name", encodeURIComponent(item.file.name || "picture.png"));
      request.upload.onprogress = ({ loaded, total }) => this.#change(item, { progress: loaded / total });
      request.onerror = request.ontimeout = () => failed(new Later(0));
      request.onload = () => {
        try {
          done(outcome(request.status, request.getResponseHeader("Retry-After"), request.responseText).attachment);
        } catch (error) {
          failed(error);
        }
      };
      request.send(item.file);
    });
  }

  get #authorization() {
    return { Authorization: `Bearer ${this.#session?.token}` };
  }

  // ---------------------------------------------------------------- in

  async #follow() {
    let pause = PAUSE.first;
    while (this.#session) {
      const since = Date.now();
      this.#following = new AbortController();
      try {
        await this.#listen(this.#following);
      } catch (error) {
        if (error.status === 401) return this.#expelled();
        if (error.pause) pause = error.pause;
      }
      if (this.#following.again) continue; // a gap: at once
      if (Date.now() - since > 5000) pause = PAUSE.first;
      this.#connected(false);
      if (this.#session) await this.#rest(pause * (0.75 + Math.random() / 2));
      pause = longer(pause);
    }
    this.#following = null;
  }

  #expelled() {
    this.#following = null;
    this.#leave();
    if (this.#opened) this.open();
  }

  async #listen(control) {
    if (Date.now() - this.#fetched > FRESH) {
      this.#seq = 0;
      this.#fetched = Date.now();
    }
    let guard;
    const alive = () => {
      clearTimeout(guard);
      guard = setTimeout(() => control.abort(), SILENCE);
    };
    alive();
    try {
      const headers = { ...this.#authorization, "Last-Event-ID": `${this.#seq}` };
      const answer = await fetch(new URL("chat/events", this.server), { headers, signal: control.signal, cache: "no-store" });
      if (!answer.ok) outcome(answer.status, answer.headers.get("Retry-After"), await answer.text());
      this.#connected(true);
      for await (const { kind, data } of events(answer, alive)) {
        if (kind === "message") this.#take(data, control);
        else this.#tell(kind, data);
      }
    } finally {
      clearTimeout(guard);
    }
  }

  #take(data, control) {
    if (data.seq > this.#seq + 1 && this.#seq && !this.#refetched.has(this.#seq)) {
      this.#refetched.add(this.#seq); // asked about once: what is still missing then does not exist
      control.again = true;
      control.abort();
      return;
    }
    if (control.again) return;
    this.#seq = Math.max(this.#seq, data.seq);
    const own = this.messages.get(data.id);
    if (own && !own.seq) {
      this.#shelf.drop(data.id);
      this.#line = this.#line.filter((item, at) => item.id !== data.id || (at === 0 && this.#sending));
    }
    const message = { ...data, at: data.at * 1000 || own?.at || Date.now(), file: own?.file };
    this.messages.set(data.id, message);
    this.#tell("message", message);
  }

  #connected(online) {
    if (online) this.#wake();
    this.online = online;
    this.#tell("connection");
  }

  // Wait, but no longer than until the network or the customer is back.
  async #rest(ms) {
    let waker;
    const woken = new Promise((done) => this.#wakers.add((waker = done)));
    await Promise.race([sleep(ms), woken]);
    this.#wakers.delete(waker);
  }

  #wake() {
    for (const waker of this.#wakers) waker();
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}
