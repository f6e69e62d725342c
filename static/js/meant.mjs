// Which desk a key is meant for: the page's own, wherever the focus is, but in a dialog, in a panel, or in a field
// that belongs to another form.
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

export function deskMeant(target) {
  const desk = document.getElementById("desk-form");
  if (!desk || desk.contains(target)) return desk;
  return target.closest?.(`dialog, [popover], ${FIELDS}`) ? null : desk;
}
