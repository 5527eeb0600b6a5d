// "Saved. Undo" for ten seconds: the seconds count down in words, a line shrinks where motion is welcome.
const GRACE_SECONDS = 10;

export class UndoToast {
  constructor(element, { onUndo }) {
    this.element = element;
    this.onUndo = onUndo;
    element.querySelector("button").addEventListener("click", () => this.undo());
  }

  // `judgment` can be taken back while the toast stands.
  offer(judgment) {
    this.hide();
    this.judgment = judgment;
    this.left = GRACE_SECONDS;
    this.#count();
    this.element.hidden = false;
    this.timer = setInterval(() => {
      this.left -= 1;
      if (this.left <= 0) this.hide();
      else this.#count();
    }, 1000);
  }

  #count() {
    this.element.querySelector("[data-seconds]").textContent = `${this.left} s`;
  }

  hide() {
    clearInterval(this.timer);
    this.judgment = null;
    this.element.hidden = true;
  }

  // False when the time is over.
  undo() {
    const { judgment } = this;
    this.hide();
    if (judgment) this.onUndo(judgment);
    return Boolean(judgment);
  }
}
