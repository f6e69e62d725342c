// Comparing: f unfolds what is the same in the change that one stands on, or everywhere; j on the last change goes on to
// the next page, k on the first one back; coming back from a change one stands on it again. Without all this there are folds to click and links.
const changes = () => [...document.querySelectorAll(".change")];
const at = () => document.activeElement?.closest(".change");
const button = document.querySelector("[data-unfold]");

function unfold() {
  const folds = [...(at() ?? document).querySelectorAll(".folded")];
  const open = folds.some((fold) => !fold.open);
  for (const fold of folds) fold.open = open;
}

if (button && document.querySelector(".folded")) {
  button.hidden = false;
  button.addEventListener("click", unfold);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !at()) return;
  const all = changes();
  const [rel, edge] = { j: ["next", all.at(-1)], k: ["prev", all[0]] }[event.key] ?? [];
  const link = rel && at() === edge && document.querySelector(`#changes .pager a[rel="${rel}"]`);
  if (!link) return;
  event.preventDefault();
  const number = Number(edge.id.replace("change-", "")) + (rel === "next" ? 1 : -1);
  location.assign(`${link.href}#stand-${number}`);
});

// What one comes to by key is read from its beginning, not from the foot of the window.
document.addEventListener("focusin", ({ target }) => {
  const change = target.closest(".change");
  if (change && target.matches(".number:focus-visible") && change.getBoundingClientRect().bottom > innerHeight) change.scrollIntoView();
});

// On a phone the chosen kind may stand beyond the edge.
const kinds = document.querySelector(".kinds");
const chosen = kinds?.querySelector("[aria-current]");
if (chosen) kinds.scrollLeft = chosen.offsetLeft - kinds.offsetLeft - 16;

// Whoever came by key stands on that change at once, and so does whoever comes back from what they opened: filter and page
// are in the address, the change is kept in its hash. That is no element's, since a browser that scrolls to one takes the
// focus away.
function stand() {
  const [, number] = /^#stand-(\d+)$/.exec(location.hash) ?? [];
  const change = number && document.getElementById(`change-${number}`);
  if (!change) return;
  change.querySelector("a")?.focus();
  if (!change.querySelector(":focus-visible")) change.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const change = event.target.closest("a") && event.target.closest(".change");
  if (change) history.replaceState(history.state, "", `#stand-${change.id.replace("change-", "")}`);
});
addEventListener("pageshow", stand);
