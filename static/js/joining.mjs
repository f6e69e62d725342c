// Words put on the desk: whole, or as a change that is joined with what stands there. What is typed meanwhile stays, and
// so does the place where somebody writes.
import { FIELDS, field, form, isText, words } from "./autosave.mjs";
import htmx from "../vendor/htmx-4.0.1.min.mjs";

/** The parts of two texts that differ, as the length of what they share at their beginnings and at their ends. */
export function shared(was, is) {
  const most = Math.min(was.length, is.length);
  let [head, tail] = [0, 0];
  while (head < most && was[head] === is[head]) head++;
  while (tail < most - head && was[was.length - 1 - tail] === is[is.length - 1 - tail]) tail++;
  return [head, tail];
}

/** Where a place of one text is in the text that it became; the end of the change, if it lies within. */
function placeIn(was, is, at) {
  const [head, tail] = shared(was, is);
  return at <= head ? at : is.length - Math.min(was.length - at, tail);
}

/** What `sent` became, with what was typed since it was sent; nothing of what it became is typed over. */
function retyped(sent, now, became) {
  const [head, tail] = shared(sent, now);
  const [start, end] = [placeIn(sent, became, head), placeIn(sent, became, sent.length - tail)];
  const replaced = sent.slice(head, sent.length - tail);
  return became.slice(0, start) + now.slice(head, now.length - tail) + became.slice(became.slice(start, end) === replaced ? end : start);
}

/** Write a text into its box; the cursor stays at its words. */
function write(box, text) {
  if (box.value === text) return;
  const [was, start, end] = [box.value, box.selectionStart, box.selectionEnd];
  box.value = text;
  if (box === document.activeElement) box.setSelectionRange(placeIn(was, text, start), placeIn(was, text, end));
}

const boxes = () => [...(form()?.querySelectorAll("textarea") ?? [])].filter((box) => FIELDS.test(box.name));

/** The texts on the desk by their fields. */
export const texts = () => new Map(boxes().map((box) => [box.name, box.value]));

/** A part of the page came back, be it with other texts than were `sent`: show them in each of its boxes, also in that
    which has the focus. */
export function show(sent, now, part) {
  for (const box of boxes()) {
    const was = sent.get(box.name);
    if (was !== undefined && part.contains(box)) write(box, retyped(was, now.get(box.name) ?? was, box.defaultValue));
  }
}

/** Put words on the desk; the server draws the places of turns if there are to be more or less. */
export async function put(text) {
  const found = JSON.parse(text);
  const surplus = boxes().filter((box) => !found.some(([name]) => name === box.name));
  if (found.some((one) => isText(one) && !field(one[0])) || (surplus.length && form().dataset.preview)) await drawTurns(found);
  else for (const box of surplus) write(box, "");
  for (const box of form().elements) {
    if (box.type === "checkbox" && FIELDS.test(box.name)) box.checked = found.some(([name]) => name === box.name);
  }
  for (const [name, value] of found) {
    const place = field(name);
    if (place?.type === "textarea") write(place, value);
    else if (place && place.value !== value) place.value = value;
  }
  document.getElementById("turn-1")?.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("comments")?.dispatchEvent(new Event("ask")); // whose passages are looked for in these words
}

class TypedMeanwhile extends Error {}

async function drawTurns(found) {
  const stood = words();
  const body = new URLSearchParams(found);
  for (const name of ["key", "based_on", "counter"]) body.set(name, field(name).value);
  const page = await asked(form().dataset.preview, body, { "HX-Request": "true", "HX-Target": "div#turns" });
  const drawn = new DOMParser().parseFromString(await page.text(), "text/html").getElementById("turns");
  if (words() !== stood) throw new TypedMeanwhile();
  const at = document.activeElement.id;
  document.getElementById("turns").replaceWith(drawn);
  htmx.process(drawn);
  if (document.activeElement === document.body) document.getElementById(at)?.focus({ preventScroll: true });
}

async function asked(url, body, headers = {}) {
  const answer = await fetch(url, { method: "POST", body, headers });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer;
}

/** Bring what `to` changes in `from` into the words of the desk. Each is {words}, or {revision, about}: the texts of a
    revision and what they are for. Returns in how many places both now stand one after the other. */
export async function bring(from, to) {
  for (let tries = 5; tries; tries--) {
    try {
      const stood = words();
      const joined = stood === from.words && to.words ? { words: to.words, both: 0 } : await join(stood, from, to);
      if (words() !== stood) continue;
      if (joined.words !== stood) await put(joined.words);
      return joined.both;
    } catch (error) {
      if (!(error instanceof TypedMeanwhile)) throw error;
    }
  }
  throw new Error("somebody types faster than words can be joined");
}

async function join(stood, from, to) {
  const body = new URLSearchParams(JSON.parse(stood).filter(isText));
  for (const [side, one] of [["base", from], ["mine", to]]) {
    if (one.revision !== undefined) body.set(`${side}_revision`, one.revision);
    else for (const [name, value] of JSON.parse(one.words).filter(isText)) body.set(name === "system" ? `${side}_system` : name.replace("turn", side), value);
  }
  const { system, turns, both } = await (await asked(form().dataset.join, body)).json();
  while (turns.length < 2 || turns.length % 2) turns.push("");
  const spoken = turns.map((value, index) => [`turn_${index + 1}`, value]);
  return { words: JSON.stringify([["system", system], ...spoken, ...aboutAfter(stood, from, to)]), both };
}

/** What the words are for: as it stands, but for what the change changes. */
function aboutAfter(stood, from, to) {
  const [about, was, is] = [stood, from.about ?? from.words, to.about ?? to.words].map((text) => new Map(JSON.parse(text).filter((pair) => !isText(pair))));
  for (const name of new Set([...was.keys(), ...is.keys()])) {
    if (was.get(name) === is.get(name)) continue;
    if (is.has(name)) about.set(name, is.get(name));
    else about.delete(name);
  }
  return [...about];
}
