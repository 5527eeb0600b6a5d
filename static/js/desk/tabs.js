// The desk in several tabs of one person: all show the item that the person holds.
export class OtherTabs {
  // onAnswered(assignment): another tab has answered or given back what this one shows.
  constructor(user, { onAnswered }) {
    this.here = null;
    this.elsewhere = new Map();
    this.id = Math.random().toString(36).slice(2);
    this.channel = new BroadcastChannel(`winnow.desk.${user}`);
    this.channel.addEventListener("message", ({ data }) => {
      if (data.type === "shows") this.elsewhere.set(data.tab, data.assignment);
      if (data.type === "shows" && data.isNews) this.#tell("shows");
      if (data.type === "answered" && data.assignment === this.here) onAnswered(data.assignment);
    });
  }

  #tell(type, more = {}) {
    this.channel.postMessage({ type, tab: this.id, assignment: this.here, ...more });
  }

  show(assignment) {
    this.here = assignment;
    this.#tell("shows", { isNews: true });
  }

  answered(assignment) {
    this.#tell("answered", { assignment });
  }

  isShownElsewhere(assignment) {
    return [...this.elsewhere.values()].includes(assignment);
  }

  leave() {
    this.here = null;
    this.#tell("shows");
  }
}
