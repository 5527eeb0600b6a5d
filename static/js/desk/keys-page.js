// A field for a key takes the key that is pressed; what moves through the form or edits text stays what it is.
import { keyName } from "./keys.js";

document.addEventListener("keydown", (event) => {
  if (!event.target.matches("[data-capture]") || event.ctrlKey || event.metaKey) return;
  const name = keyName(event);
  if (!name || !/^(Shift\+)?(.|Space)$/u.test(name)) return;
  event.preventDefault();
  event.target.value = name;
  event.target.select();
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-capture]")) event.target.select();
});
