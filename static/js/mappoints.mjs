// A map's points as they come from the server (app/selection/atlas/packing.py), and what is asked of them: which one is
// under the pointer, which lie within a line. Places are whole numbers from 0 to FULL, the same as in the database, so
// that a line drawn here means the same candidates there.
export const FULL = 65535;
const CELLS = 128;
const MOST_CORNERS = 64;

export function unpack(buffer) {
  const mark = new TextDecoder().decode(new Uint8Array(buffer, 0, 4));
  if (mark !== "HPM1") throw new Error(`a map begins with HPM1, not ${mark}`);
  const length = new DataView(buffer).getUint32(4, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  let at = 8 + length;
  const column = (Kind, count) => {
    const found = new Kind(buffer, at, count);
    at += found.byteLength;
    return found;
  };
  const { n, own } = head;
  const points = { n, head, id: column(Uint32Array, n) };
  points.own = { n: own, id: column(Uint32Array, own) };
  [points.x, points.y] = [column(Uint16Array, n), column(Uint16Array, n)];
  [points.own.x, points.own.y] = [column(Uint16Array, own), column(Uint16Array, own)];
  for (const name of ["source", "state", "split", "region", "near"]) points[name] = column(Uint8Array, n);
  for (const name of ["source", "region"]) points.own[name] = column(Uint8Array, own);
  return points;
}

/** A candidate's own number. */
export const idOf = (points, index) => points.head.first + points.id[index];

/** Points by cells of a coarse grid: `items` holds those of cell c from start[c] to start[c + 1]. */
export function indexOf(points) {
  const cell = (index) => (points.y[index] >> 9) * CELLS + (points.x[index] >> 9);
  const start = new Uint32Array(CELLS * CELLS + 1);
  for (let i = 0; i < points.n; i++) start[cell(i) + 1]++;
  for (let c = 0; c < CELLS * CELLS; c++) start[c + 1] += start[c];
  const [items, next] = [new Uint32Array(points.n), start.slice()];
  for (let i = 0; i < points.n; i++) items[next[cell(i)]++] = i;
  return { start, items };
}

/** The point nearest to (x, y) within reach, measured in pixels: reachX and reachY are what one pixel covers, times `reach`. */
export function nearest(points, index, x, y, pixelX, pixelY, reach) {
  const clamp = (value) => Math.min(CELLS - 1, Math.max(0, value >> 9));
  const [left, right] = [clamp(x - reach * pixelX), clamp(x + reach * pixelX)];
  const [top, bottom] = [clamp(y - reach * pixelY), clamp(y + reach * pixelY)];
  let [best, least] = [-1, reach * reach];
  for (let row = top; row <= bottom; row++) {
    for (let at = index.start[row * CELLS + left]; at < index.start[row * CELLS + right + 1]; at++) {
      const i = index.items[at];
      const [dx, dy] = [(points.x[i] - x) / pixelX, (points.y[i] - y) / pixelY];
      const off = dx * dx + dy * dy;
      if (off < least) [best, least] = [i, off];
    }
  }
  return best;
}

/** Whether a point lies within a closed line, by the even-odd rule and in whole numbers, as the server asks it. */
export function within(corners, x, y) {
  let odd = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    let [x1, y1] = corners[j];
    let [x2, y2] = corners[i];
    if (y1 === y2) continue;
    if (y1 > y2) [x1, y1, x2, y2] = [x2, y2, x1, y1];
    if (y >= y1 && y < y2 && (x - x1) * (y2 - y1) < (y - y1) * (x2 - x1)) odd = !odd;
  }
  return odd;
}

/** Which of these columns' points lie within a line: 1 or 0 each. */
export function inside(columns, corners) {
  const mask = new Uint8Array(columns.n);
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let i = 0; i < columns.n; i++) {
    const [x, y] = [columns.x[i], columns.y[i]];
    if (x >= left && x <= right && y >= top && y <= bottom && within(corners, x, y)) mask[i] = 1;
  }
  return mask;
}

/** The same line with few corners (Douglas and Peucker, with more patience until they are few enough). */
export function simplified(line) {
  let corners = line.map(([x, y]) => [whole(x), whole(y)]);
  for (let patience = 40; ; patience *= 1.6) {
    const fewer = thinned(corners, patience);
    if (fewer.length <= MOST_CORNERS) return fewer;
    corners = fewer;
  }
}

const whole = (value) => Math.min(FULL, Math.max(0, Math.round(value)));

function thinned(line, patience) {
  if (line.length < 4) return line;
  const keep = new Uint8Array(line.length);
  keep[0] = keep[line.length - 1] = 1;
  const parts = [[0, line.length - 1]];
  while (parts.length) {
    const [from, to] = parts.pop();
    let [far, at] = [patience, -1];
    for (let i = from + 1; i < to; i++) {
      const off = offLine(line[i], line[from], line[to]);
      if (off > far) [far, at] = [off, i];
    }
    if (at < 0) continue;
    keep[at] = 1;
    parts.push([from, at], [at, to]);
  }
  return line.filter((_, i) => keep[i]);
}

function offLine([x, y], [x1, y1], [x2, y2]) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  return length ? Math.abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length : Math.hypot(x - x1, y - y1);
}

export const lineOf = (corners) => corners.map(([x, y]) => `${x}.${y}`).join("-");
export const cornersOf = (words) => words.split("-").map((corner) => corner.split(".").map(Number));
