// What a page shows, measured in the page. Works in JupyterLab and in the classic notebook.
window.measures = (() => {
  const CELL = ".jp-Cell, div.cell";
  const OUTPUT = ".jp-OutputArea-child, div.output_area";
  const DISABLED = ":disabled, .mod-disabled, .ui-state-disabled, [aria-disabled=true]"; // may be faint, says WCAG
  const PAGE = ".jp-WindowedPanel-outer, .jp-NotebookPanel-notebook, #notebook-container";
  const PROMPT = ".jp-OutputPrompt, .jp-InputPrompt, .prompt"; // the page's own, as is its colour
  const CONTROLS = "button, input, select, textarea, summary, a[href], video, [role=slider], .ui-slider-handle";
  const FIELDS = "input[type=text], input[type=number], textarea, select";

  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const seen = new Map();

  const place = (element) => {
    const cell = element.closest(CELL);
    const number = [...document.querySelectorAll(CELL)].indexOf(cell);
    const words = (element.textContent || element.value || "").trim().replace(/\s+/g, " ").slice(0, 60);
    return `cell ${number}, <${element.tagName.toLowerCase()} class="${element.className}"> ${words}`;
  };

  const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // Any CSS colour as [red, green, blue, alpha], 0 to 1.
  const rgba = (colour) => {
    if (!seen.has(colour)) {
      pixel.clearRect(0, 0, 1, 1);
      pixel.fillStyle = colour;
      pixel.fillRect(0, 0, 1, 1);
      seen.set(colour, [...pixel.getImageData(0, 0, 1, 1).data].map((value) => value / 255));
    }
    return seen.get(colour);
  };

  const over = ([r, g, b, a], below) => [r, g, b].map((value, at) => value * a + below[at] * (1 - a));

  const background = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(rgba(getComputedStyle(one).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [1, 1, 1]);
  };

  const opacity = (element) => {
    let product = 1;
    for (let one = element; one; one = one.parentElement) product *= getComputedStyle(one).opacity;
    return product;
  };

  // WCAG 2.1: relative luminance and contrast ratio.
  const luminance = (colour) => {
    const [r, g, b] = colour.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  const contrast = (element) => {
    const below = background(element);
    const [r, g, b, a] = rgba(getComputedStyle(element).color);
    const [low, high] = [luminance(over([r, g, b, a * opacity(element)], below)), luminance(below)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };

  const holdsWords = (element) =>
    element.matches(FIELDS) || [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());

  return {
    // Words of outputs and texts whose contrast is below a bound, each with its contrast.
    faint: (least) =>
      [...document.querySelectorAll(`${OUTPUT}, .jp-RenderedMarkdown, .text_cell_render`)]
        .flatMap((area) => [area, ...area.querySelectorAll("*")])
        .filter((one) => holdsWords(one) && visible(one) && one.getClientRects().length)
        .filter((one) => !one.closest(`${DISABLED}, ${PROMPT}`))
        .map((one) => [contrast(one), place(one)])
        .filter(([ratio]) => ratio < least)
        .map(([ratio, where]) => `${ratio.toFixed(2)}: ${where}`),

    // Parts of outputs that stand out of the page on the right, or are to be scrolled sideways.
    wide: () => {
      const edge = document.querySelector(PAGE).getBoundingClientRect().right;
      return [...document.querySelectorAll(OUTPUT)]
        .flatMap((area) => [area, ...area.querySelectorAll("*")])
        .filter(visible)
        .map((one) => {
          const style = getComputedStyle(one);
          const scrolls = ["auto", "scroll"].includes(style.overflowX) ? one.scrollWidth - one.clientWidth : 0;
          return [Math.max(scrolls, one.getBoundingClientRect().right - edge), one];
        })
        .filter(([by]) => by > 1)
        .map(([by, one]) => `${Math.round(by)} px: ${place(one)}`);
    },

    // Words of outputs that are cut off, with dots or without.
    cut: () =>
      [...document.querySelectorAll(OUTPUT)]
        .flatMap((area) => [...area.querySelectorAll("*")])
        .filter((one) => holdsWords(one) && !one.matches(FIELDS) && visible(one))
        .flatMap((one) => [one, one.parentElement]) // a checkbox has its words in a part of the label that is cut off
        .filter((one) => getComputedStyle(one).overflowX === "hidden" && one.scrollWidth > one.clientWidth + 1)
        .map(place),

    // Controls in outputs to which no key leads.
    keyless: () =>
      [...document.querySelectorAll(OUTPUT)]
        .flatMap((area) => [...area.querySelectorAll(CONTROLS)])
        .filter((one) => visible(one) && !one.closest(DISABLED) && one.tabIndex < 0)
        .map(place),

    // Every picture in the outputs: where it is, its size on the page and its own.
    pictures: () =>
      [...document.querySelectorAll(OUTPUT)]
        .flatMap((area) => [...area.querySelectorAll("img")])
        .filter(visible)
        .map((one) => {
          const { width, height } = one.getBoundingClientRect();
          return { where: place(one), width, height, own_width: one.naturalWidth, own_height: one.naturalHeight };
        }),

    // The file behind a picture, as base64; empty where it could not be loaded.
    content: async (picture) => {
      if (!picture.naturalWidth) return "";
      const bytes = new Uint8Array(await (await fetch(picture.src)).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    },
  };
})();
