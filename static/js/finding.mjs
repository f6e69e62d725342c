// What is found while somebody types is said to those who hear the page, once it is there.
document.addEventListener("htmx:after:swap", ({ detail }) => {
  const said = document.getElementById("found-said");
  if (detail.ctx?.target?.id !== "found" || !said) return;
  said.textContent = ["hits", "how"].map((id) => document.getElementById(id)?.textContent).filter(Boolean).join(", ");
});
