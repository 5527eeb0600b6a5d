// Words that only one of two texts has, by their longest common subsequence.

// Above this many cells the table is made of lines instead of words.
const MOST_CELLS = 4_000_000;

function trimmed(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return [start, end];
}

function commonMarks(a, b) {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = a[i] === b[j]
        ? table[(i + 1) * width + j + 1] + 1
        : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const inA = new Array(a.length).fill(false);
  const inB = new Array(b.length).fill(false);
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) { inA[i] = true; inB[j] = true; i += 1; j += 1; }
    else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return [inA, inB];
}

// Two lists of { text, common }.
export function difference(left, right) {
  let [a, b] = [left.match(/\s+|[^\s]+/gu) ?? [], right.match(/\s+|[^\s]+/gu) ?? []];
  if (a.length * b.length > MOST_CELLS) [a, b] = [left.split(/(?<=\n)/u), right.split(/(?<=\n)/u)];
  const [start, end] = trimmed(a, b);
  const [coreA, coreB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const small = coreA.length * coreB.length <= MOST_CELLS;
  const [inA, inB] = small ? commonMarks(coreA, coreB) : [[], []];
  const parts = (words, common) => words.map((text, place) => ({
    text,
    common: place < start || place >= words.length - end || Boolean(common[place - start]),
  }));
  return [parts(a, inA), parts(b, inB)];
}

// Words that stand together are marked together.
function runs(parts) {
  const joined = [];
  for (const { text, common } of parts) {
    const last = joined.at(-1);
    if (last?.common === common) last.text += text;
    else joined.push({ text, common });
  }
  return joined;
}

export function mark(element, parts) {
  element.replaceChildren(...runs(parts).map(({ text, common }) => {
    if (common || !text.trim()) return document.createTextNode(text);
    const marked = document.createElement("mark");
    marked.textContent = text;
    return marked;
  }));
}
