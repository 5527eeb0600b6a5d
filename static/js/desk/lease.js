// The hold on an item: renewed while the person is there, shown as what remains of it.
import { Refused, call } from "./api.js";

const LONGEST_BEAT_MS = 60_000;
const SHOW_EVERY_MS = 5000;
const SOON_MS = 120_000;

export class Lease {
  // isThere(ms): whether the person did something in that time. onEnded(error), once per item.
  constructor({ seconds, isThere, onEnded }) {
    this.ms = seconds * 1000;
    this.isThere = isThere;
    this.onEnded = onEnded;
    this.assignment = null;
    setInterval(() => this.#show(), SHOW_EVERY_MS);
  }

  hold(assignment) {
    clearTimeout(this.timer);
    this.assignment = assignment;
    this.hasEnded = false;
    // The server's clock may differ from this one, so what remains is counted from now.
    this.endsAt = assignment ? Date.now() + this.ms : 0;
    this.#show();
    if (assignment) this.#beatLater();
  }

  #beatLater() {
    this.timer = setTimeout(() => this.#beat(), Math.min(LONGEST_BEAT_MS, this.ms / 3));
  }

  async #beat() {
    const { assignment } = this;
    // A page that was left alone lets its item go.
    if (!this.isThere(this.ms)) return this.#beatLater();
    try {
      const { expires_at } = await call("POST", `assignments/${assignment.id}/heartbeat`);
      if (this.assignment !== assignment) return undefined;
      assignment.expires_at = expires_at;
      this.endsAt = Date.now() + this.ms;
    } catch (error) {
      if (this.assignment !== assignment) return undefined;
      if (error instanceof Refused) return this.#end(error);
    }
    this.#show();
    return this.#beatLater();
  }

  #end(error) {
    this.endsAt = 0;
    this.hasEnded = true;
    this.#show();
    this.onEnded(error);
  }

  #show() {
    const mark = document.getElementById("lease");
    const left = this.endsAt - Date.now();
    mark.hidden = !this.assignment;
    if (!this.assignment) return;
    mark.dataset.soon = String(left < SOON_MS);
    const words = left >= 60_000 ? `held for ${Math.round(left / 60_000)} min` : `held for ${Math.ceil(left / 1000)} s`;
    mark.textContent = left > 0 ? words : "no longer held";
  }
}
