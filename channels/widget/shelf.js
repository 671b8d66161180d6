// Unsent messages, files included, kept in the browser until the server has them.

const TABLE = "unsent";

function wait(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

export class Shelf {
  #name;
  #opened;
  #spare = new Map(); // where the browser keeps nothing (private windows): until the page goes

  constructor(name) {
    this.#name = name;
  }

  async keep(item) {
    this.#spare.set(item.id, item);
    await this.#in("readwrite", (table) => table.put(item));
  }

  async drop(id) {
    this.#spare.delete(id);
    await this.#in("readwrite", (table) => table.delete(id));
  }

  async all() {
    const kept = await this.#in("readonly", (table) => table.getAll());
    return (kept ?? [...this.#spare.values()]).sort((a, b) => a.at - b.at);
  }

  async #in(mode, work) {
    try {
      const base = await (this.#opened ??= this.#open());
      return await wait(work(base.transaction(TABLE, mode).objectStore(TABLE)));
    } catch {
      return undefined;
    }
  }

  #open() {
    const request = indexedDB.open(this.#name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    return wait(request);
  }
}
