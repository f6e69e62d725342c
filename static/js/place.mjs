// Lists to decide on: the chosen row stays in sight, also after a key has swapped the page.
const show = () => document.querySelector(".hits .at, .inbox > nav .at, .needs .item.at .title")?.scrollIntoView({ block: "nearest" });

show();
document.addEventListener("htmx:after:swap", show);
