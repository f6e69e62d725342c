// Lists to decide on: the chosen row stays in sight, also after a key has swapped the page. On a phone what is read stands
// below its list, so there what somebody opened comes into sight itself.
const PHONE = matchMedia("(max-width: 48rem)");

function show(event) {
  document.querySelector(".hits .at, .inbox > nav .at, .needs .item.at .title")?.scrollIntoView({ block: "nearest" });
  // While somebody types, the list alone is swapped, and it is what they look at.
  if (PHONE.matches && event?.detail.ctx?.target?.id !== "found") document.querySelector("[data-asked]")?.scrollIntoView();
}

show();
document.addEventListener("htmx:after:swap", show);
