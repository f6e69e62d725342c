// Beside the map: what is chosen, in figures, and what can be done with it.
import { idOf } from "./mappoints.mjs";

const MOST = 1000;
const FARTHEST = 5;
const UNDECIDED = ["open", "kept"];
const known = new Map();
let nothing;

/** Titles of candidates by number, each asked for once. */
export async function titlesOf(address, ids) {
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length) {
    try {
      const answer = await fetch(`${address}?ids=${missing.join("-")}`, { credentials: "same-origin" });
      if (answer.ok) for (const [id, title] of Object.entries(await answer.json())) known.set(Number(id), title);
    } catch {} // without a title the point still opens
  }
  return new Map(ids.filter((id) => known.has(id)).map((id) => [id, known.get(id)]));
}

const number = (count) => count.toLocaleString("en");
const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

/** Fill the panel; `query` is what is chosen, as the address has it. */
export function fill(atlas, points, state, query) {
  const panel = document.getElementById("map-chosen");
  nothing ??= [...panel.childNodes];
  if (!state.mask) return panel.replaceChildren(...nothing);
  const chosen = [];
  for (let i = 0; i < points.n; i++) if (state.mask[i]) chosen.push(i);
  const own = state.mask.own.reduce((sum, one) => sum + one, 0);
  const filled = document.getElementById("map-panel").content.cloneNode(true);
  const part = (name) => filled.querySelector(`[data-part="${name}"]`);
  part("title").textContent = state.region ? `${state.region} ${points.head.regions[state.region - 1].name}` : "Inside the lasso";
  part("count").textContent = plural(chosen.length, "candidate");
  part("own").textContent = `and ${plural(own, "example")}`;
  const states = tally(chosen, points.state);
  const called = { open: "not judged" };
  part("states").textContent = points.head.states.map((name, at) => [called[name] ?? name, states[at]]).filter(([, count]) => count).map(([name, count]) => `${number(count)} ${name}`).join(", ");
  bySource(part, points, chosen);
  const narrowed = new URLSearchParams(query);
  narrowed.delete("by");
  narrowed.set("status", "all");
  part("open").href = `${atlas.dataset.pool}?${narrowed}`;
  further(part, atlas, state, narrowed);
  acts(part, atlas, points, chosen, query);
  farthest(part, atlas, points, chosen);
  panel.replaceChildren(filled);
}

/** On from here: ten of what is chosen to add next, and a region's own name, which stands in the table below. */
function further(part, atlas, state, narrowed) {
  const [next, rename] = [part("next"), part("rename")];
  if (!next) return; // of an archived project nothing changes
  const area = new URLSearchParams(narrowed);
  area.delete("status");
  next.href = `${atlas.dataset.next}?${area}`;
  if (!state.region) return rename.remove();
  rename.addEventListener("click", () => {
    const field = document.getElementById(`name-${state.region}`);
    field.closest("details").open = true;
    field.focus();
    field.select();
  });
}

function tally(chosen, column) {
  const counts = [];
  for (const i of chosen) counts[column[i]] = (counts[column[i]] ?? 0) + 1;
  return counts;
}

/** A bar of shares, and the same in words. */
function bySource(part, points, chosen) {
  const counts = tally(chosen, points.source);
  const parts = points.head.sources.map(({ title, tint }, at) => ({ title, tint, share: (100 * (counts[at] ?? 0)) / Math.max(1, chosen.length) })).filter(({ share }) => share);
  const bar = part("bar");
  if (!parts.length) return bar.remove();
  bar.setAttribute("aria-label", `By source: ${parts.map(({ title, share }) => `${title} ${share.toFixed(0)}%`).join(", ")}`);
  let at = 0;
  for (const { tint, share } of parts) {
    const piece = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of [["class", tint], ["x", `${at.toFixed(1)}%`], ["width", `${share.toFixed(1)}%`], ["height", "100%"]]) piece.setAttribute(name, value);
    bar.append(piece);
    at += share;
  }
  for (const { title, tint, share } of parts)
    part("legend").append(Object.assign(document.createElement("span"), { className: `badge source ${tint}`, textContent: `${title} ${share < 1 ? "<1" : share.toFixed(0)}%` }));
}

/** What can be done at once: with what nobody has rejected or used, up to a thousand. */
function acts(part, atlas, points, chosen, query) {
  const form = part("acts");
  if (!form) return;
  const open = chosen.filter((i) => UNDECIDED.includes(points.head.states[points.state[i]]));
  const limit = part("limit");
  if (!open.length || open.length > MOST) {
    form.remove();
    limit.hidden = false;
    limit.textContent = open.length
      ? `${number(open.length)} of them are not judged or kept; up to ${number(MOST)} can be decided at once. Look closer and draw a smaller line.`
      : chosen.length ? "All of them are rejected or used; the table can restore them." : "No candidate lies here.";
    return;
  }
  form.action = `${atlas.dataset.act}${query.size ? `?${query}` : ""}`;
  part("undecided").textContent = open.length === chosen.length ? "All of them at once, and one undo:" : `The ${number(open.length)} that are not rejected or used, at once, and one undo:`;
  for (const i of open) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "ids", value: idOf(points, i) }));
}

async function farthest(part, atlas, points, chosen) {
  const list = part("farthest");
  const far = part("far");
  const open = chosen.filter((i) => points.head.states[points.state[i]] === "open");
  const first = open.sort((a, b) => points.near[a] - points.near[b] || points.id[a] - points.id[b]).slice(0, FARTHEST);
  if (!first.length) return far.remove();
  const titles = await titlesOf(atlas.dataset.titles, first.map((i) => idOf(points, i)));
  for (const i of first) {
    const id = idOf(points, i);
    const item = Object.assign(document.createElement("a"), { className: "item", href: `${atlas.dataset.pool}/${id}?status=all&region=${points.region[i]}` });
    const title = Object.assign(document.createElement("span"), { className: "read title", dir: "auto", textContent: titles.get(id) ?? `Candidate ${id}` });
    const side = Object.assign(document.createElement("span"), { className: "side", textContent: (points.near[i] / 100).toFixed(2).replace(/^0/, "") });
    item.append(title, side);
    const row = document.createElement("li");
    row.append(item);
    list.append(row);
  }
}
