// Answers on their way: kept in this browser until the server has acknowledged each, and sent again as they are.
// Sending twice is harmless: the server gives the same judgment for the same answer.
import { Refused, Unreachable, call } from "./judge-api.js";

const RETRY_MS = [1000, 2000, 5000, 10000, 30000];

export class Outbox {
  constructor(user, { onChange, onRefused }) {
    this.key = `winnow.outbox.${user}`;
    this.onChange = onChange;
    this.onRefused = onRefused;
    this.failures = 0;
    this.sending = null;
    addEventListener("online", () => this.flush());
  }

  entries() {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "[]");
    } catch {
      return [];
    }
  }

  #store(entries) {
    if (entries.length) localStorage.setItem(this.key, JSON.stringify(entries));
    else localStorage.removeItem(this.key);
  }

  #remove(entry) {
    this.#store(this.entries().filter((other) => other.path !== entry.path || other.at !== entry.at));
  }

  // Resolves with the server's reply once it has taken this answer, or with null when it refused it.
  add(path, body) {
    const entry = { path, body, at: Date.now() };
    this.#store([...this.entries(), entry]);
    return new Promise((resolve) => {
      this.waiting ??= new Map();
      this.waiting.set(`${entry.path} ${entry.at}`, resolve);
      this.flush();
    });
  }

  flush() {
    clearTimeout(this.timer);
    this.sending ??= this.#sendAll().finally(() => { this.sending = null; });
    return this.sending;
  }

  async #sendAll() {
    for (let [entry] = this.entries(); entry; [entry] = this.entries()) {
      this.onChange("saving", this.entries().length);
      let reply = null;
      try {
        reply = await call("POST", entry.path, entry.body);
      } catch (error) {
        if (error instanceof Unreachable) return this.#later();
        if (!(error instanceof Refused)) throw error;
        this.onRefused(error, entry);
      }
      this.failures = 0;
      this.#remove(entry);
      const name = `${entry.path} ${entry.at}`;
      this.waiting?.get(name)?.(reply);
      this.waiting?.delete(name);
    }
    this.onChange("saved", 0);
  }

  #later() {
    this.onChange("offline", this.entries().length);
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.flush(), wait);
  }
}
