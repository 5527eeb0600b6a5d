// Seconds a person is active on an item: the page is visible and something was done in the last minute.
const IDLE_AFTER_MS = 60_000;
const TICK_MS = 500;

export class ActiveClock {
  constructor() {
    this.lastAct = Date.now();
    this.seconds = 0;
    for (const kind of ["keydown", "pointermove", "pointerdown", "wheel", "scroll", "touchstart"]) {
      addEventListener(kind, () => { this.lastAct = Date.now(); }, { passive: true, capture: true });
    }
    setInterval(() => {
      if (document.visibilityState === "visible" && this.idleMs < IDLE_AFTER_MS) this.seconds += TICK_MS / 1000;
    }, TICK_MS);
  }

  get idleMs() {
    return Date.now() - this.lastAct;
  }

  restart() {
    this.seconds = 0;
    this.lastAct = Date.now();
  }
}
