// The cells are one stop for Tab; arrow keys go to the nearest cell in that direction.
const place = (link) => {
  const use = link.firstElementChild;
  return { x: Number(use.getAttribute("x")), y: Number(use.getAttribute("y")) };
};

function nearest(links, from, [dx, dy]) {
  const here = place(from);
  let best = null;
  let least = Infinity;
  for (const link of links) {
    const there = place(link);
    const along = (there.x - here.x) * dx + (there.y - here.y) * dy;
    const across = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
    if (along > 0 && along + 3 * across < least) [best, least] = [link, along + 3 * across];
  }
  return best;
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function tend(svg) {
  const links = [...svg.querySelectorAll("a")];
  links[0]?.setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (event) => {
    const from = event.target.closest("a");
    const way = WAYS[event.key];
    const to = from && (way ? nearest(links, from, way) : { Home: links[0], End: links.at(-1) }[event.key]);
    if (!to) return;
    event.preventDefault();
    from.setAttribute("tabindex", "-1");
    to.setAttribute("tabindex", "0");
    to.focus();
  });
}

for (const svg of document.querySelectorAll("[data-cells]")) tend(svg);
