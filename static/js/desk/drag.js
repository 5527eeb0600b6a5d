// Dragging something into one of several places in a row, by any pointer. What can be dragged can be moved by key and by button too.
const STARTS_AFTER_PX = 6;
const EDGE_SHARE = 0.28;

export class Drag {
  // onDropped(item, place, where): "before", "after", "tie", or "open" for the place that keeps what has none.
  constructor(list, { item, place, hasTies, signal, onDropped }) {
    Object.assign(this, { list, item, place, hasTies, onDropped, wasDragged: false });
    list.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    list.addEventListener("pointermove", (event) => this.#moved(event), { signal });
    list.addEventListener("pointerup", (event) => this.#up(event), { signal });
    list.addEventListener("pointercancel", () => this.#end(), { signal });
    list.addEventListener("lostpointercapture", () => this.#end(), { signal });
  }

  #down(event) {
    this.wasDragged = false;
    const held = event.target.closest(this.item);
    if (held && event.button === 0) this.held = { item: held, x: event.clientX, y: event.clientY, pointer: event.pointerId };
  }

  #moved(event) {
    if (!this.held || event.pointerId !== this.held.pointer) return;
    const { item, x, y } = this.held;
    if (!this.wasDragged && Math.hypot(event.clientX - x, event.clientY - y) < STARTS_AFTER_PX) return;
    if (!this.wasDragged) {
      this.wasDragged = true;
      item.setPointerCapture(event.pointerId);
      item.dataset.dragged = "true";
    }
    item.style.translate = `${event.clientX - x}px ${event.clientY - y}px`;
    this.#aim(event);
  }

  // The place under the pointer, and which part of it.
  #aim({ clientX, clientY }) {
    this.#unaim();
    const within = (box) => clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
    const place = [...this.list.querySelectorAll(this.place)].find((one) => within(one.getBoundingClientRect()));
    if (!place) return;
    this.target = place;
    place.dataset.over = this.#part(place, clientX);
  }

  #part(place, clientX) {
    if (place.matches("[class*=--open]")) return "open";
    const box = place.getBoundingClientRect();
    const share = (clientX - box.left) / box.width;
    const isAlone = place.querySelectorAll(this.item).length === 1 && place.contains(this.held.item);
    if (this.hasTies && !isAlone && share > EDGE_SHARE && share < 1 - EDGE_SHARE) return "tie";
    return share < 0.5 ? "before" : "after";
  }

  #unaim() {
    if (this.target) delete this.target.dataset.over;
    this.target = null;
  }

  #up() {
    const { held, target, wasDragged } = this;
    const where = target?.dataset.over;
    if (wasDragged && target && !(target.contains(held.item) && target.querySelectorAll(this.item).length === 1)) {
      this.onDropped(held.item, target, where);
    }
    this.#end();
  }

  #end() {
    this.#unaim();
    if (!this.held) return;
    this.held.item.style.translate = "";
    delete this.held.item.dataset.dragged;
    this.held = null;
  }
}
