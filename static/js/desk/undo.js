// Ctrl+Z inside the form: every answer that was in it, and back again. Text fields have the browser's own undo.
const MOST_STEPS = 100;

export class FormHistory {
  constructor(first) {
    this.past = [];
    this.future = [];
    this.present = JSON.stringify(first);
  }

  // Typing in one field is one step.
  note(state, { field = null } = {}) {
    const next = JSON.stringify(state);
    if (next === this.present) return;
    if (!field || field !== this.field) this.past.push(this.present);
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.field = field;
    this.present = next;
    this.future = [];
  }

  undo() {
    return this.#step(this.past, this.future);
  }

  redo() {
    return this.#step(this.future, this.past);
  }

  #step(from, to) {
    if (!from.length) return null;
    to.push(this.present);
    this.present = from.pop();
    this.field = null;
    return JSON.parse(this.present);
  }
}
