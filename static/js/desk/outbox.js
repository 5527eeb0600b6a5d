// Answers on their way: kept in this browser until the server has acknowledged each, and sent again as they are.
// Sending twice is harmless: the server gives the same judgment for the same answer. Every answer has a key of its own in
// the store, so that two tabs never overwrite each other's.
import { Refused, Unreachable, call } from "./api.js";

const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];

export class Outbox {
  // onChange(state, waiting, error), onRefused(error, entry) for an answer that nobody here waits for any more.
  constructor(user, { onChange, onRefused }) {
    this.prefix = `winnow.outbox.${user}.`;
    this.onChange = onChange;
    this.onRefused = onRefused;
    this.failures = 0;
    this.sending = null;
    this.waiting = new Map();
    // Where the browser keeps nothing, or has no room.
    this.unstored = new Map();
    addEventListener("online", () => this.flush());
  }

  // Oldest first.
  entries() {
    const names = [...this.unstored.keys(), ...Object.keys(localStorage).filter((key) => key.startsWith(this.prefix))];
    const found = names.map((name) => this.#read(name)).filter(Boolean);
    return found.sort((one, other) => one.at - other.at || (one.name < other.name ? -1 : 1));
  }

  #read(name) {
    if (this.unstored.has(name)) return this.unstored.get(name);
    try {
      return { ...JSON.parse(localStorage.getItem(name)), name };
    } catch {
      return null;
    }
  }

  #store(entry) {
    try {
      localStorage.setItem(entry.name, JSON.stringify({ path: entry.path, body: entry.body, at: entry.at }));
    } catch {
      this.unstored.set(entry.name, entry);
    }
  }

  #remove(name) {
    this.unstored.delete(name);
    localStorage.removeItem(name);
  }

  // Resolves with { reply } once the server has taken this answer, with { refused } when it does not take it, and with
  // {} when another tab has sent it.
  add(path, body) {
    const at = Date.now();
    const entry = { name: `${this.prefix}${at}.${Math.random().toString(36).slice(2, 10)}`, path, body, at };
    this.#store(entry);
    return new Promise((resolve) => {
      this.waiting.set(entry.name, resolve);
      this.flush();
    });
  }

  flush() {
    clearTimeout(this.timer);
    this.sending ??= this.#sendAll().finally(() => { this.sending = null; });
    return this.sending;
  }

  async #sendAll() {
    let failure = null;
    const failed = new Set();
    for (;;) {
      const entry = this.entries().find((one) => !failed.has(one.name));
      if (!entry) break;
      this.onChange("saving", this.entries().length);
      try {
        this.#settle(entry, { reply: await call("POST", entry.path, entry.body) });
      } catch (error) {
        if (error instanceof Refused) this.#settle(entry, { refused: error });
        else if (!(error instanceof Unreachable)) throw error;
        else {
          failure = error;
          failed.add(entry.name);
          // Without an answer there is no use in trying the others.
          if (!error.status) break;
        }
      }
    }
    this.#settleThoseSentElsewhere();
    if (failure) this.#later(failure);
    else {
      this.failures = 0;
      this.onChange("saved", 0);
    }
  }

  #settle(entry, outcome) {
    this.#remove(entry.name);
    const resolve = this.waiting.get(entry.name);
    this.waiting.delete(entry.name);
    if (resolve) resolve(outcome);
    else if (outcome.refused) this.onRefused(outcome.refused, entry);
  }

  #settleThoseSentElsewhere() {
    for (const [name, resolve] of this.waiting) {
      if (this.#read(name)?.path) continue;
      this.waiting.delete(name);
      resolve({});
    }
  }

  #later(error) {
    this.onChange("offline", this.entries().length, error);
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.flush(), wait);
  }
}
