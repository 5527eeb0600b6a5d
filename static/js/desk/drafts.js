// An answer in the making: in this browser at once, on the server soon after.
import { Refused, Unreachable, call } from "./api.js";
import { showState } from "./notices.js";

const SEND_AFTER_MS = 700;
const AGAIN_AFTER_MS = 5000;
const FORGET_AFTER_MS = 30 * 24 * 3600 * 1000;

export class Drafts {
  // onGone(error): the item takes no draft any more.
  constructor(user, { onGone }) {
    this.prefix = `winnow.draft.${user}.`;
    this.onGone = onGone;
    this.#forgetOld();
  }

  // { draft, at, saved }: `saved` is the server's time of the version that it acknowledged.
  kept(name) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name));
    } catch {
      return null;
    }
  }

  #keep(name, entry) {
    try {
      localStorage.setItem(this.prefix + name, JSON.stringify(entry));
    } catch {
      // No room or no store: the server's copy has to do.
    }
  }

  keep(name, draft, { path = null } = {}) {
    clearTimeout(this.timer);
    const entry = { draft, at: Date.now(), saved: this.kept(name)?.saved ?? null };
    this.#keep(name, entry);
    if (path) this.timer = setTimeout(() => this.#send(name, entry, path), SEND_AFTER_MS);
  }

  async #send(name, entry, path) {
    showState("saving");
    try {
      const { saved_at: saved = null } = await call("PUT", path, entry.draft);
      if (this.kept(name)?.at === entry.at) this.#keep(name, { ...entry, saved });
      showState("draft");
    } catch (error) {
      showState("local");
      if (error instanceof Unreachable) this.timer = setTimeout(() => this.#send(name, entry, path), AGAIN_AFTER_MS);
      else if (error instanceof Refused) this.onGone(error);
      else throw error;
    }
  }

  // The item is answered, or another one is shown: nothing more goes out.
  stop() {
    clearTimeout(this.timer);
  }

  forget(name) {
    this.stop();
    localStorage.removeItem(this.prefix + name);
  }

  // Whether the server holds something that this browser has not written and that was written later.
  isOlderThan(name, draft, savedAt) {
    const own = this.kept(name);
    if (!own || !draft || JSON.stringify(own.draft) === JSON.stringify(draft)) return false;
    return own.saved ? Date.parse(own.saved) !== Date.parse(savedAt) : Date.parse(savedAt) > own.at;
  }

  #forgetOld() {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(this.prefix)) continue;
      const at = this.kept(key.slice(this.prefix.length))?.at ?? 0;
      if (Date.now() - at > FORGET_AFTER_MS) localStorage.removeItem(key);
    }
  }
}
