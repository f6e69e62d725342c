// Formulas: span.math holds TeX. MathML needs neither styles nor fonts of its own, so the strict policy holds;
// KaTeX is fetched only by a page that has a formula. A formula that cannot be read stays as it was written.
const waiting = () => document.querySelectorAll("span.math:not([data-set])");

async function set() {
  const formulas = waiting();
  if (!formulas.length) return;
  const { default: katex } = await import("../vendor/katex-0.19.1.min.mjs");
  for (const span of formulas) {
    // Two calls may have waited for KaTeX at once.
    if ("set" in span.dataset) continue;
    span.dataset.set = "";
    const tex = span.textContent;
    const displayMode = span.classList.contains("math-display");
    try {
      katex.render(tex, span, { output: "mathml", displayMode, throwOnError: true, trust: false, maxExpand: 200, strict: "ignore" });
      exchange(span);
      if (displayMode) scrollable(span);
    } catch {
      span.textContent = tex;
      span.classList.add("unread");
    }
  }
}

// Browsers no longer read mathvariant: ℝ would become an italic R. So letters are exchanged for their own characters.
const ALPHABETS = {
  bold: { A: 0x1d400, a: 0x1d41a, 0: 0x1d7ce },
  "double-struck": { A: 0x1d538, a: 0x1d552, 0: 0x1d7d8, C: "ℂ", H: "ℍ", N: "ℕ", P: "ℙ", Q: "ℚ", R: "ℝ", Z: "ℤ" },
  script: { A: 0x1d49c, a: 0x1d4b6, B: "ℬ", E: "ℰ", F: "ℱ", H: "ℋ", I: "ℐ", L: "ℒ", M: "ℳ", R: "ℛ", e: "ℯ", g: "ℊ", o: "ℴ" },
  fraktur: { A: 0x1d504, a: 0x1d51e, C: "ℭ", H: "ℌ", I: "ℑ", R: "ℜ", Z: "ℨ" },
  "sans-serif": { A: 0x1d5a0, a: 0x1d5ba, 0: 0x1d7e2 },
  monospace: { A: 0x1d670, a: 0x1d68a, 0: 0x1d7f6 },
  "bold-italic": { A: 0x1d468, a: 0x1d482 },
};

function letter(character, alphabet) {
  const first = /[A-Z]/.test(character) ? "A" : /[a-z]/.test(character) ? "a" : /[0-9]/.test(character) ? "0" : null;
  if (typeof alphabet[character] === "string") return alphabet[character];
  if (first === null || !alphabet[first]) return character;
  return String.fromCodePoint(alphabet[first] + character.charCodeAt(0) - first.charCodeAt(0));
}

function exchange(span) {
  for (const sign of span.querySelectorAll("[mathvariant]")) {
    const alphabet = ALPHABETS[sign.getAttribute("mathvariant")];
    if (!alphabet || sign.children.length) continue;
    sign.textContent = Array.from(sign.textContent, (character) => letter(character, alphabet)).join("");
    sign.removeAttribute("mathvariant");
  }
}

/** A formula wider than its column scrolls, and what scrolls must be reachable by keyboard. */
function scrollable(span) {
  if (span.scrollWidth <= span.clientWidth) return;
  span.classList.add("scrolls");
  span.tabIndex = 0;
}

set();
document.addEventListener("htmx:after:swap", set);
