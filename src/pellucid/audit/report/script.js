"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripting");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  // --- Colours: figures name them as the style sheet does, and the browser says what they are now.
  const probe = document.body.appendChild(document.createElement("span"));
  probe.hidden = true;
  const colour = (name) => {
    probe.style.color = name;
    return getComputedStyle(probe).color;
  };
  const coloured = (value, key = "") => {
    if (Array.isArray(value)) return value.map((each) => coloured(each, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, k)]));
    }
    return /color$/.test(key) && /^var\(--[\w-]+\)$/.test(value) ? colour(value) : value;
  };
  const FONT = 'system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
  const axis = (own) => ({
    automargin: true, gridcolor: "var(--line)", linecolor: "var(--line)", zeroline: false,
    tickcolor: "var(--line)", fixedrange: true, ...own,
    title: { standoff: 10, ...own.title, font: { color: "var(--quiet)", size: 13 } },
  });
  const layout = (own) => ({
    ...own,
    xaxis: axis(own.xaxis),
    yaxis: axis(own.yaxis),
    barmode: "stack",
    bargap: 0.4,
    dragmode: false,
    autosize: true,
    margin: { l: 8, r: 14, t: 10, b: 8 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: FONT, size: 13, color: "var(--ink)" },
    uirevision: "kept",
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", xanchor: "left", traceorder: "normal" },
    hoverlabel: {
      bgcolor: "var(--raised)", bordercolor: "var(--line)", align: "left",
      font: { family: FONT, color: "var(--ink)" },
    },
  });

  // --- Figures: the library is unpacked once, and each figure is drawn when it comes near.
  let library;
  const unpacked = async () => {
    const packed = Uint8Array.from(atob(byId("plotly").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    return window.Plotly;
  };
  const untold = () => { // a browser from before 2023: the tables take the figures' place
    all(".plot").forEach((plot) => (plot.hidden = true));
    all("details.values").forEach((each) => (each.open = true));
  };
  const plotly = () => (library ??= unpacked().catch(untold));
  const drawn = new Set();
  const COLUMN = 325; // pixels, of two on A4
  const small = (height) => ({
    width: COLUMN, height: Math.max(250, 0.7 * height), autosize: false,
    font: { family: FONT, size: 10, color: "var(--ink)" },
  });
  const draw = (plot, paper = false) => {
    const told = JSON.parse(plot.nextElementSibling.textContent);
    const size = paper ? small(told.layout.height) : {};
    const look = coloured({ ...layout(told.layout), ...size });
    window.Plotly.react(plot, coloured(told.traces), look, { displayModeBar: false, responsive: true });
    drawn.add(plot);
    plot.dataset.drawn = "";
  };
  const plots = all(".plot");
  const watcher = new IntersectionObserver((seen) => {
    for (const { target } of seen.filter((each) => each.isIntersecting)) {
      watcher.unobserve(target);
      plotly().then((ready) => ready && draw(target));
    }
  }, { rootMargin: "400px" });
  plots.forEach((plot) => watcher.observe(plot));
  (window.requestIdleCallback ?? setTimeout)(plotly); // so that printing finds it

  // --- Light and dark: as the system has it, until the reader says otherwise.
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const recolour = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    if (window.Plotly) drawn.forEach((plot) => draw(plot));
  };
  const choose = (theme) => {
    root.dataset.theme = theme;
    recolour();
  };
  button.addEventListener("click", () => choose(isDark() ? "light" : "dark"));
  system.addEventListener("change", recolour);
  const asked = /^#(light|dark)$/.exec(location.hash);
  if (asked) choose(asked[1]);
  recolour();

  // --- Print: everything drawn, open, unfiltered and light, as small as the paper needs.
  let before;
  addEventListener("beforeprint", () => {
    const closed = all("details:not([open])");
    before = { theme: root.dataset.theme, closed, hidden: all("#list > tbody > tr[hidden]") };
    root.dataset.theme = "light";
    closed.forEach((each) => (each.open = true));
    before.hidden.forEach((row) => (row.hidden = false));
    if (window.Plotly) plots.forEach((plot) => draw(plot, true));
  });
  addEventListener("afterprint", () => {
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    before.closed.forEach((each) => (each.open = false));
    before.hidden.forEach((row) => (row.hidden = true));
    recolour();
  });

  // --- Findings: filters and order.
  const body = document.querySelector("#list > tbody");
  const rows = all("tr", body).filter((row) => row.parentElement === body);
  const words = new Map(); // of each row, from when they are first looked for
  const said = (row) => {
    if (!words.has(row)) words.set(row, row.querySelector("th").textContent.toLowerCase());
    return words.get(row);
  };
  const severity = byId("by-severity");
  const stage = byId("by-stage");
  const text = byId("by-text");
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = (!severity.value || row.dataset.severity === severity.value)
        && (!stage.value || row.dataset.stage === stage.value)
        && (!wanted || said(row).includes(wanted));
      row.hidden = !fits;
      count += fits;
    }
    byId("shown").textContent = `${count} of ${rows.length} findings are shown.`;
  };
  [severity, stage, text].forEach((each) => each.addEventListener("input", filter));
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  all(".counts a").forEach((chip) => chip.addEventListener("click", () => {
    severity.value = chip.dataset.level;
    filter();
  }));
  const heads = all("#list > thead th");
  const sort = (head, rising) => {
    const key = head.dataset.key;
    const sign = rising ? 1 : -1;
    rows.sort((a, b) => sign * (a.dataset[key] - b.dataset[key]) || a.dataset.number - b.dataset.number);
    body.append(...rows);
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  };
  for (const head of heads) {
    const pressed = head.querySelector("button");
    pressed.disabled = false;
    pressed.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(head, now ? now === "descending" : head.dataset.key === "number");
    });
  }
  heads[0].setAttribute("aria-sort", "descending");
  filter();
})();
