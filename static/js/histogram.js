// The brush over a histogram of strength: by mouse or touch, and by arrow keys on its two ends.
const WIDTH = 720;
const BINS = 24;

// `changed(min, max)` hears of every new range; an end at the edge of the picture is null, which means open.
export function brush(figure, changed) {
  const picture = figure.querySelector("[data-brush]");
  const limit = Number(figure.dataset.limit);
  const step = (2 * limit) / BINS;
  const range = {
    min: figure.dataset.min === "" ? -limit : Number(figure.dataset.min),
    max: figure.dataset.max === "" ? limit : Number(figure.dataset.max),
  };

  const place = (value) => ((Math.max(-limit, Math.min(limit, value)) + limit) / (2 * limit)) * WIDTH;
  const snap = (value) => Math.max(-limit, Math.min(limit, Math.round(value / step) * step));
  const words = (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(2);
  const isOpen = () => range.min <= -limit && range.max >= limit;

  function draw() {
    const area = picture.querySelector(".brush");
    area.setAttribute("x", place(range.min));
    area.setAttribute("width", Math.max(0, place(range.max) - place(range.min)));
    area.setAttribute("visibility", isOpen() ? "hidden" : "visible");
    for (const handle of picture.querySelectorAll(".handle")) {
      const value = range[handle.dataset.end];
      handle.setAttribute("x", place(value) - 4);
      handle.setAttribute("aria-valuenow", value);
      handle.setAttribute("aria-valuetext", words(value));
    }
    const output = figure.querySelector(".histogram__range");
    output.textContent = isOpen() ? "" : `${words(range.min)} to ${words(range.max)}`;
  }

  function tell() {
    const round = (value) => Number(value.toFixed(4));
    changed(range.min <= -limit ? null : round(range.min), range.max >= limit ? null : round(range.max));
  }

  function valueAt(event) {
    const box = picture.getBoundingClientRect();
    return snap(((event.clientX - box.left) / box.width) * 2 * limit - limit);
  }

  function drag(event) {
    const start = valueAt(event);
    const handle = event.target.closest(".handle");
    const fixed = handle ? range[handle.dataset.end === "min" ? "max" : "min"] : start;
    picture.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const value = valueAt(moved);
      range.min = Math.min(fixed, value);
      range.max = Math.max(fixed, value);
      draw();
    };
    const end = () => {
      picture.removeEventListener("pointermove", move);
      // A click without a drag takes the range away.
      if (range.min === range.max) Object.assign(range, { min: -limit, max: limit });
      draw();
      tell();
    };
    picture.addEventListener("pointermove", move);
    picture.addEventListener("pointerup", end, { once: true });
    if (!handle) Object.assign(range, { min: start, max: start });
    event.preventDefault();
  }

  let waiting;
  function press(event) {
    const name = event.target.dataset.end;
    const moves = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageDown: -4 * step, PageUp: 4 * step, Home: -2 * limit, End: 2 * limit };
    if (!name || !(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const moved = snap(range[name] + moves[event.key]);
    range[name] = name === "min" ? Math.min(moved, range.max - step) : Math.max(moved, range.min + step);
    draw();
    clearTimeout(waiting);
    waiting = setTimeout(tell, 250);
  }

  picture.addEventListener("pointerdown", drag);
  picture.addEventListener("keydown", press);
  draw();
}
