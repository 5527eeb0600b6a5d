// Keys have names, names have actions. Keys are told by what they write, not by where they sit; only where a key writes
// nothing that is bound (Cyrillic, Arabic, the digits of a French keyboard) its place is asked.

export { isTyping as isTextField } from "../frame.js";

// "h", "Shift+H", "1", "[", "Space", "Enter", "ArrowLeft"; null for a modifier, or a chord that belongs to the browser.
export function keyName(event) {
  const { key } = event;
  if (key === "Dead" || key === "Unidentified" || event.isComposing || /^(Shift|Control|Alt|AltGraph|Meta)$/.test(key)) return null;
  const isSymbol = key.length === 1 && !/[a-z0-9]/i.test(key);
  // AltGr writes brackets on many keyboards, and some systems report it as Ctrl+Alt.
  const isWritten = event.getModifierState?.("AltGraph") || (isSymbol && event.altKey && (event.ctrlKey || /Mac/.test(navigator.platform)));
  const chord = isWritten ? "" : `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}`;
  return chord + plainName(key, event.shiftKey);
}

function plainName(key, isShifted) {
  if (key === " ") return isShifted ? "Shift+Space" : "Space";
  if (key.length > 1) return isShifted ? `Shift+${key}` : key;
  const [lower, upper] = [key.toLowerCase(), key.toUpperCase()];
  // Symbols and digits already are what Shift made of them; a letter may be capital because of Caps Lock.
  if (lower === upper) return key;
  return isShifted ? `Shift+${upper}` : lower;
}

function nameByPlace(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  if (digit && event.key.length === 1 && !event.shiftKey) return digit;
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  const isForeign = event.key.length === 1 && event.key.charCodeAt(0) > 127;
  return letter && isForeign ? plainName(letter.toLowerCase(), event.shiftKey) : null;
}

export class Bindings {
  // [{ action, keys: [name, ...] }, ...]
  constructor(list) {
    this.actions = new Map();
    this.keys = new Map(list.map(({ action, keys }) => [action, keys[0]]));
    for (const { action, keys } of list) {
      for (const key of keys) this.actions.set(key, [...(this.actions.get(key) ?? []), action]);
    }
  }

  keyOf(action) {
    return this.keys.get(action) ?? null;
  }

  // The names of what this key press asks for, most often one.
  asked(event) {
    const name = keyName(event);
    return this.actions.get(name) ?? this.actions.get(nameByPlace(event)) ?? [];
  }
}
