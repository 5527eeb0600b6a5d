// Dialogs that ask for a reason: one by its digit, or own words.
import { isTextField } from "./keys.js";

export class ReasonDialog {
  // onChosen({ reason, note })
  constructor(dialog, { onChosen }) {
    this.dialog = dialog;
    this.onChosen = onChosen;
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("click", (event) => {
      const reason = event.target.closest("[data-reason]");
      if (reason) this.#choose(reason.dataset.reason);
    });
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#choose("");
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  ask() {
    this.dialog.querySelector("form").reset();
    this.dialog.showModal();
  }

  #key(event) {
    event.stopPropagation();
    if (event.repeat || isTextField(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "0") {
      event.preventDefault();
      this.dialog.querySelector("[name=note]").focus();
    }
    const button = /^[1-9]$/.test(event.key) && this.dialog.querySelectorAll("[data-reason]")[Number(event.key) - 1];
    if (button) {
      event.preventDefault();
      this.#choose(button.dataset.reason);
    }
  }

  #choose(reason) {
    const note = this.dialog.querySelector("[name=note]").value.trim();
    if (!reason && !note) return;
    this.dialog.close();
    this.onChosen({ reason, note });
  }
}
