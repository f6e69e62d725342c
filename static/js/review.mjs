// Review: m speaks of the passage that is selected, ] and [ select sentence by sentence, remarks on neighbouring lines
// make room for each other or fold to a line, and the queue narrows as soon as it is told to. Without all this there are
// forms.
const WIDE = window.matchMedia("(min-width: 80.01rem)");
const GAP = 8;
// How far below its line a remark needs a number to be found by, and from where on its pile is folded, in pixels.
const ASTRAY = 120;
const FAR = 480;
const BLOCKS = "p, li, h3, h4, h5, h6, td, th, pre";
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);
let chosen = null;

/** The words of a message as its reviewer reads them, without remarks and without what is gone. */
function spoken(range) {
  const part = range.cloneContents();
  for (const other of part.querySelectorAll(".remark, del")) other.remove();
  return part.textContent.replace(/\s+/g, " ");
}

const textOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;

document.addEventListener("selectionchange", () => {
  const selection = document.getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return;
  const range = selection.getRangeAt(0);
  const text = textOf(range.startContainer).closest("[data-message]");
  if (text?.contains(range.endContainer) && spoken(range).trim()) chosen = { text, range: range.cloneRange() };
});

/** How often the same words stand before the passage. */
function timesBefore(text, range, quote) {
  const before = document.createRange();
  before.setStart(text, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const words = spoken(before);
  let count = 0;
  for (let at = words.indexOf(quote); at >= 0; at = words.indexOf(quote, at + quote.length)) count += 1;
  return count;
}

// The form opens with what is selected in it; what somebody has typed already stays.
document.addEventListener("beforetoggle", (event) => {
  const form = event.target.id === "comment-box" && event.newState === "open" && event.target.querySelector("form");
  if (!form || !chosen?.text.isConnected || form.elements.words.value) return;
  const quote = spoken(chosen.range).trim();
  form.elements.quote.value = quote;
  form.elements.nth.value = timesBefore(chosen.text, chosen.range, quote);
  form.elements.message.value = chosen.text.dataset.message;
}, true);

// What is typed and not sent stays with its example, in this tab: another view of it, a comment on it or a look at the
// next one brings fresh forms.
const TYPED = "#decide-form, #comment-form";
const KEPT = ["words", "quote", "nth", "message"];
const person = () => document.querySelector("[data-signs-out]")?.dataset.signsOut;
const placeOf = (form) => ["handpicked:said", person(), form.id, new URL(form.action).pathname, form.elements.answer_to?.value].join(" ");

document.addEventListener("input", ({ target: { form } }) => {
  if (!form?.matches(TYPED)) return;
  try {
    if (form.elements.words.value) sessionStorage.setItem(placeOf(form), JSON.stringify(KEPT.map((name) => form.elements[name]?.value)));
    else sessionStorage.removeItem(placeOf(form));
  } catch {} // without storage it lasts as long as the page
});
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches(TYPED) || ctx.response.status >= 400) return;
  try { sessionStorage.removeItem(placeOf(ctx.sourceElement)); } catch {}
});

function bringBack() {
  for (const form of document.querySelectorAll(TYPED)) {
    if (!form.elements.words || form.elements.words.value) continue;
    try {
      const said = JSON.parse(sessionStorage.getItem(placeOf(form)) ?? "[]");
      for (const [index, name] of KEPT.entries()) if (said[0] && said[index] !== null && form.elements[name]) form.elements[name].value = said[index];
      if (said[0]) form.elements.words.dispatchEvent(new Event("input", { bubbles: true })); // they count as not sent
    } catch {}
  }
}
// In the step of the swap, before anybody can have typed into the fresh one.
document.addEventListener("htmx:before:settle", bringBack);
bringBack();

/** All sentences on the sheet, as ranges. */
function sentences() {
  const parts = new Intl.Segmenter(document.documentElement.lang || "en", { granularity: "sentence" });
  const blocks = [...document.querySelectorAll(`#sheet [data-message] :is(${BLOCKS})`)].filter((block) => !block.querySelector(BLOCKS));
  return blocks.flatMap((block) => [...parts.segment(words(block))].map((part) => rangeIn(block, part)).filter(Boolean));
}

const counted = (node) => !node.parentElement.closest(".remark, del");
const nodes = (block) => {
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT, (node) => counted(node) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  return found;
};
const words = (block) => nodes(block).map((node) => node.data).join("");

function rangeIn(block, { segment, index }) {
  const length = segment.trimEnd().length;
  if (!length) return null;
  const range = document.createRange();
  let at = 0;
  let begun = false;
  for (const node of nodes(block)) {
    if (!begun && index < at + node.length) {
      range.setStart(node, index - at);
      begun = true;
    }
    if (begun && index + length <= at + node.length) {
      range.setEnd(node, index + length - at);
      return range;
    }
    at += node.length;
  }
  return null;
}

function step(by) {
  const all = sentences();
  if (!all.length) return;
  const here = chosen?.text.isConnected ? chosen.range : null;
  const after = all.findIndex((range) => here && range.compareBoundaryPoints(Range.START_TO_START, here) > 0);
  const before = all.findLastIndex((range) => here && range.compareBoundaryPoints(Range.START_TO_START, here) < 0);
  const next = !here ? (by > 0 ? 0 : all.length - 1) : by > 0 ? (after < 0 ? all.length - 1 : after) : Math.max(before, 0);
  const selection = document.getSelection();
  selection.removeAllRanges();
  selection.addRange(all[next]);
  // The browser tells of it later; the next key may come before.
  chosen = { text: textOf(all[next].startContainer).closest("[data-message]"), range: all[next].cloneRange() };
  textOf(all[next].startContainer).scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-sentence]");
  if (button) step(Number(button.dataset.sentence));
});
document.addEventListener("change", (event) => event.target.matches?.("[data-submits]") && event.target.form.requestSubmit());

/** How far each remark has to be pushed down so as not to lie on the one before. */
function pushes(remarks) {
  let free = -Infinity;
  return remarks.map((remark) => {
    const { top, height } = remark.getBoundingClientRect();
    const by = Math.max(0, Math.ceil(free - top));
    free = top + by + height + (remark.matches(".folded") ? GAP / 4 : GAP);
    return { remark, by, free };
  });
}

/** Where remarks pile up until one stands so far from its line, all of the pile: it begins with one at its own line. */
function piled(placed, far) {
  const piles = [];
  for (const one of placed) one.by ? piles.at(-1).push(one) : piles.push([one]);
  return piles.filter((pile) => pile.some(({ by }) => by > far)).flat().map(({ remark }) => remark);
}

/** Each remark at its line; one that would lie on another is pushed down, and a pile of them is folded and numbered. */
function stand() {
  sheet.replaceSync(".narrow .button { display: none; }");
  const remarks = [...document.querySelectorAll("#sheet:not(.with-original) .remark")];
  const page = document.getElementById("sheet");
  for (const remark of remarks) remark.classList.remove("folded");
  page?.classList.remove("numbered");
  if (!WIDE.matches || !remarks.length) return;
  const whole = pushes(remarks);
  page.classList.toggle("numbered", piled(whole, ASTRAY).length > 0);
  for (const remark of piled(whole, FAR)) remark.classList.add("folded");
  const placed = pushes(remarks);
  const rules = placed.filter(({ by }) => by).map(({ remark, by }) => {
    remark.dataset.stands = remarks.indexOf(remark);
    return `#sheet .remark[data-stands="${remark.dataset.stands}"] { margin-top: ${by}px; }`;
  });
  const below = placed.at(-1).free - page.getBoundingClientRect().bottom;
  if (below > 0) rules.push(`#sheet { padding-bottom: ${Math.ceil(below)}px; }`);
  for (const rule of rules) sheet.insertRule(rule);
}

let due = 0;
const soon = () => { cancelAnimationFrame(due); due = requestAnimationFrame(stand); };
document.addEventListener("htmx:after:swap", soon);
window.addEventListener("resize", soon);
document.fonts?.ready.then(soon);
soon();
