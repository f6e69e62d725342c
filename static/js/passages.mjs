// Passages follow what is typed: places behind it move, and one that is typed into goes (a remark, until the text is
// read again) or takes in what is typed (data-follows: a colleague's comment). Places count UTF-16 units.
export const places = (item) => [Number(item.dataset.start), Number(item.dataset.end)];

/** Move the places of these items from one text to the next. */
export function follow(items, before, after) {
  if (before === after) return;
  const { head, until, by } = change(before, after);
  for (const item of items) {
    const [start, end] = places(item);
    if (start >= until && (start > head || end > start)) shift(item.dataset, ["start", "end"], by);
    else if (end > head && start < until) into(item, head, until, by);
    else if (start === end && start > head) item.dataset.start = item.dataset.end = Math.max(head, start + by);
    const fix = item.querySelector("[data-fix]");
    if (!fix) continue;
    if (Number(fix.dataset.fixStart) >= until) shift(fix.dataset, ["fixStart", "fixEnd"], by);
    else if (Number(fix.dataset.fixEnd) > head) fix.remove();
  }
}

/** The one stretch in which two texts differ: from `head` to before `until` in the first, `by` longer in the second. */
export function change(before, after) {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { head, until: before.length - tail, by: after.length - before.length };
}

function into(item, head, until, by) {
  if (!("follows" in item.dataset)) {
    item.hidden = true;
    return;
  }
  const [start, end] = places(item);
  const isGone = head < start && until > end; // it went with what stood around it; its place stays
  item.dataset.start = Math.min(start, head);
  item.dataset.end = isGone ? head : Math.max(Math.min(start, head), end >= until ? end + by : until + by);
}

function shift(data, names, by) {
  for (const name of names) data[name] = Number(data[name]) + by;
}
