// Draws a map's points pixel by pixel: 100,000 squares in a few milliseconds on any machine, without WebGL, which many a
// remote desktop has not got and whose usual libraries build code at run time, as our policy forbids.
import { FULL } from "./mappoints.mjs";

const NEAREST = 64;

/** What part of the map is looked at: `x`, `y` its left upper corner in the map's measure, `zoom` how much it is magnified. */
export class Camera {
  constructor() {
    this.whole();
  }

  whole() {
    [this.x, this.y, this.zoom] = [0, 0, 1];
  }

  /** What one pixel covers. */
  pixels(width, height) {
    return [FULL / this.zoom / width, FULL / this.zoom / height];
  }

  /** Magnify by a factor about a place on the picture, which stays where it is; `fx` and `fy` are shares of the picture. */
  magnify(factor, fx = 0.5, fy = 0.5) {
    const zoom = Math.min(NEAREST, Math.max(1, this.zoom * factor));
    this.x += fx * FULL * (1 / this.zoom - 1 / zoom);
    this.y += fy * FULL * (1 / this.zoom - 1 / zoom);
    this.zoom = zoom;
    this.#stay();
  }

  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#stay();
  }

  #stay() {
    const most = FULL - FULL / this.zoom;
    this.x = Math.min(most, Math.max(0, this.x));
    this.y = Math.min(most, Math.max(0, this.y));
  }
}

/** A colour of the style sheet as [red, green, blue], whatever way it is written. */
export function rgb(colour) {
  const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** How wide a square is: the fewer there are, and the nearer one looks, the wider. */
export function widthOf(count, zoom) {
  const whole = 5.5 - 1.6 * Math.log10(Math.max(1, count / 600));
  return Math.min(9, Math.max(1.5, whole) * zoom ** 0.3);
}

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** Take the size that the page gives; false while it gives none. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    const [wide, high] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    if (!wide || !high) return false;
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      [this.canvas.width, this.canvas.height] = [wide, high];
      this.image = this.context.createImageData(wide, high);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    return true;
  }

  /** `colours`: [r, g, b] of each value of `kind`; `mask`: what is chosen, or null; `shown`: which values are. */
  draw(points, camera, { kind, colours, mask, hidden, ground, ink }) {
    if (!this.fit()) return;
    this.words.fill(packed(ground, 255));
    const wide = Math.max(1, Math.round(widthOf(points.n, camera.zoom) * this.ratio));
    const whole = this.#alpha(points.n, camera.zoom);
    const passes = mask ? [[0, whole * 0.3], [1, 1]] : [[null, whole]];
    for (const [chosen, alpha] of passes) this.#squares(points, camera, { kind, colours, hidden, mask, chosen, alpha, wide });
    this.context.putImageData(this.image, 0, 0);
    this.#rings(points, camera, { kind, colours, mask, hidden, ground, ink, wide });
  }

  #alpha(count, zoom) {
    return Math.min(0.85, Math.max(0.4, 0.72 - 0.13 * Math.log10(Math.max(1, count / 2000))) * zoom ** 0.15);
  }

  #squares(points, camera, { kind, colours, hidden, mask, chosen, alpha, wide }) {
    const { width, height } = this.canvas;
    const [scaleX, scaleY] = [(width * camera.zoom) / FULL, (height * camera.zoom) / FULL];
    const [half, values, words] = [wide >> 1, points[kind], this.words];
    const share = Math.round(alpha * 256);
    for (let i = 0; i < points.n; i++) {
      if (chosen !== null && mask[i] !== chosen) continue;
      if (hidden?.has(values[i])) continue;
      const left = Math.round((points.x[i] - camera.x) * scaleX) - half;
      const top = Math.round((points.y[i] - camera.y) * scaleY) - half;
      if (left + wide < 0 || top + wide < 0 || left >= width || top >= height) continue;
      const [red, green, blue] = colours[values[i]];
      const [from, to] = [Math.max(0, left), Math.min(width, left + wide)];
      for (let row = Math.max(0, top); row < Math.min(height, top + wide); row++) {
        for (let at = row * width + from; at < row * width + to; at++) {
          const old = words[at];
          const r = (old & 255) + (((red - (old & 255)) * share) >> 8);
          const g = ((old >> 8) & 255) + (((green - ((old >> 8) & 255)) * share) >> 8);
          const b = ((old >> 16) & 255) + (((blue - ((old >> 16) & 255)) * share) >> 8);
          words[at] = 0xff000000 | (b << 16) | (g << 8) | r;
        }
      }
    }
  }

  /** The set's examples: a square of their source in a ring; of many the rings are small. */
  #rings(points, camera, { kind, colours, mask, hidden, ground, ink, wide }) {
    const { own } = points;
    const { width, height } = this.canvas;
    const [scaleX, scaleY] = [(width * camera.zoom) / FULL, (height * camera.zoom) / FULL];
    const radius = Math.max(2.2, Math.min(6.5, 8 - 1.9 * Math.log10(Math.max(1, own.n / 12))) * camera.zoom ** 0.2) * this.ratio;
    const context = this.context;
    context.lineWidth = Math.max(1, Math.min(1.5, radius / 4)) * this.ratio;
    [context.fillStyle, context.strokeStyle] = [`rgb(${ground})`, `rgb(${ink})`];
    const sourced = kind === "source" || kind === "region";
    const small = radius < 5 * this.ratio || wide < 3 * this.ratio;
    for (let i = 0; i < own.n; i++) {
      if (sourced && hidden?.has(own[kind][i])) continue;
      const x = (own.x[i] - camera.x) * scaleX;
      const y = (own.y[i] - camera.y) * scaleY;
      if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
      context.globalAlpha = mask && !mask.own[i] ? 0.35 : 1;
      const colour = sourced ? `rgb(${colours[own[kind][i]]})` : `rgb(${ink})`;
      // A square within a small ring would be a speck: the ring itself is filled.
      if (small) context.fillStyle = colour;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      if (small) continue;
      const side = Math.max(this.ratio, Math.min(wide, radius));
      context.fillStyle = colour;
      context.fillRect(Math.round(x - side / 2), Math.round(y - side / 2), side, side);
      context.fillStyle = `rgb(${ground})`;
    }
    context.globalAlpha = 1;
  }
}

const packed = ([red, green, blue], alpha) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
