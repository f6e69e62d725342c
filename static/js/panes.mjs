// The tabs of a narrow desk: prompt, response, preview. They are radios and work alone; scripts that lead to a text box
// have to show the pane it stands in first.
const NARROW = window.matchMedia("(max-width: 64rem)");
const tab = (name) => document.getElementById(`tab-${name}`);
let last = "prompt";
let writing = null;

const chosen = () => document.querySelector("[name='tab']:checked")?.value;

export function show(name) {
  if (!NARROW.matches || !tab(name) || tab(name).checked) return;
  if (chosen() !== "preview") last = chosen();
  tab(name).checked = true;
  tab(name).dispatchEvent(new Event("change", { bubbles: true }));
}

/** Whether a box can be seen and written in, after this. */
export const showBox = (box) => show(box.closest("#prompt-pane") ? "prompt" : "response");

/** The preview, or back to where one was; the switch has the focus meanwhile, for what was written in is not shown. */
export function togglePreview() {
  const isNarrow = NARROW.matches && tab("preview");
  const switches = isNarrow ? tab("preview") : document.getElementById("as-preview");
  if (switches?.checked) {
    if (isNarrow) show(last);
    else document.getElementById("as-write").click();
    (writing?.isConnected ? writing : switches).focus({ preventScroll: true });
    return;
  }
  if (document.activeElement?.matches("#desk-form textarea")) writing = document.activeElement;
  if (isNarrow) show("preview");
  else switches?.click();
  if (!writing?.checkVisibility()) switches?.focus({ preventScroll: true });
}
