// Looks at report pages in a real browser and prints what it saw as JSON.
// Arguments: the folder of the npm packages, the browser, and a JSON object of pages by name.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, executablePath, pages] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const files = JSON.parse(pages);
const args = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
  "--disable-background-networking", "--disable-component-update",
];
const browser = await chromium.launch({ executablePath, args });

/** A page that is open, with all it complains of and all it asks the network for. */
const opened = async (name, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`thrown: ${error.message}`));
  page.on("dialog", (dialog) => { said.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => asked.push(request.url()));
  const begun = performance.now();
  await page.goto(pathToFileURL(files[name]).href);
  return { page, context, said, asked, milliseconds: performance.now() - begun };
};

/** Scroll to the end, so that every figure comes near once. */
const scrolled = async (page) => {
  const height = await page.evaluate(() => document.body.scrollHeight);
  for (let y = 0; y < height; y += 500) {
    await page.evaluate((top) => scrollTo({ top, behavior: "instant" }), y);
    await page.waitForTimeout(60);
  }
  await page.waitForFunction(
    () => [...document.querySelectorAll(".plot")].every((each) => "drawn" in each.dataset),
    null, { timeout: 20000 },
  ).catch(() => {});
};

/** What can be measured of a page that was looked at from top to bottom. */
const seen = async (name, options) => {
  const { page, context, said, asked, milliseconds } = await opened(name, options);
  await scrolled(page);
  const measured = await page.evaluate(() => ({
    plots: document.querySelectorAll(".plot").length,
    drawn: [...document.querySelectorAll(".plot")]
      .filter((each) => each.querySelector(".main-svg .trace, .main-svg .bars path")).length,
    width: document.documentElement.scrollWidth,
    ran: "ran" in window,
  }));
  await context.close();
  return { ...measured, said, asked, milliseconds };
};

/** How long a page takes until it is loaded, its scripts included. */
const opening = async (name) => {
  const { context, milliseconds } = await opened(name);
  await context.close();
  return milliseconds;
};

/** What axe-core calls serious or critical. */
const faults = async (colorScheme) => {
  const { page, context } = await opened("usual", { colorScheme, bypassCSP: true });
  await scrolled(page);
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  await context.close();
  return violations
    .filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
};

const used = async () => {
  const { page, context } = await opened("usual");
  const shown = () => page.evaluate(() => [...document.querySelectorAll("#list > tbody > tr")]
    .filter((row) => !row.hidden).map((row) => row.querySelector("code").textContent));
  const queries = () => page.evaluate(() => [...document.querySelectorAll("#list > tbody > tr")]
    .map((row) => Number(row.dataset.queries)));
  const steps = { all: await shown() };
  await page.selectOption("#by-stage", "clean");
  steps.clean = await shown();
  await page.selectOption("#by-severity", "medium");
  steps.cleanAndMedium = await shown();
  steps.status = await page.textContent("#shown");
  await page.selectOption("#by-stage", "");
  await page.selectOption("#by-severity", "");
  await page.fill("#by-text", "SQUARE");
  steps.text = await shown();
  await page.fill("#by-text", "");
  await page.click('.counts a[data-level="low"]');
  steps.chip = await shown();
  await page.selectOption("#by-severity", "");
  await page.click('th[data-key="queries"] button');
  steps.dearest = await queries();
  await page.keyboard.press("Enter");
  steps.cheapest = await queries();
  steps.sorted = await page.getAttribute('th[data-key="queries"]', "aria-sort");
  await context.close();
  return steps;
};

const themes = async () => {
  const { page, context } = await opened("usual", { colorScheme: "light" });
  const look = () => page.evaluate(() => ({
    paper: getComputedStyle(document.body).backgroundColor,
    ink: document.querySelector(".plot .xtick text")?.style.fill,
  }));
  await page.locator(".plot").first().scrollIntoViewIfNeeded();
  await page.waitForSelector(".plot .xtick text");
  const looks = { light: await look() };
  await page.click("#theme");
  looks.toggled = await look();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.click("#theme");
  looks.back = await look();
  await context.close();
  return looks;
};

/** What the tab key reaches, and whether each of it can be seen to have the focus. */
const tabbed = async () => {
  const { page, context } = await opened("usual");
  const stops = [];
  for (let i = 0; i < 400; i += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) return null;
      const name = at.id || at.dataset.level || at.getAttribute("aria-label") || at.textContent.trim();
      return { tag: at.tagName, name, seen: getComputedStyle(at).outlineStyle !== "none" };
    });
    if (!stop) break;
    stops.push(stop);
  }
  const first = page.locator("#findings details").nth(1);
  await first.locator("summary").focus();
  await page.keyboard.press("Enter");
  const opens = await first.evaluate((each) => each.open);
  await context.close();
  return { stops, opens };
};

const printed = async () => {
  const { page, context } = await opened("usual", { colorScheme: "dark" });
  await page.waitForFunction(() => window.Plotly);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  const during = await page.evaluate(() => ({
    closed: document.querySelectorAll("details:not([open])").length,
    undrawn: [...document.querySelectorAll(".plot")].filter((p) => !p.querySelector(".trace")).length,
    paper: getComputedStyle(document.body).backgroundColor,
    filters: getComputedStyle(document.querySelector(".filters")).display,
  }));
  await page.emulateMedia({ media: "screen" });
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  const closedAfter = await page.locator("details:not([open])").count();
  const pdf = await page.pdf({ format: "A4" });
  await context.close();
  return { ...during, closedAfter, pdf: pdf.length };
};

const plain = async () => {
  const { page, context, said } = await opened("usual", { javaScriptEnabled: false });
  const text = await page.locator("#accuracy-by-class table").innerText();
  const filters = await page.locator(".filters").isVisible();
  await context.close();
  return { said, text, filters };
};

/** A browser that cannot unpack the library. */
const old = async () => {
  const { page, context, said } = await opened("usual");
  await page.addInitScript(() => delete window.DecompressionStream);
  await page.reload();
  await page.waitForSelector("details.values[open]");
  const visible = await page.locator(".plot:visible").count();
  const open = await page.locator("details.values[open]").count();
  await context.close();
  return { said, visible, open };
};

const result = {
  usual: await seen("usual"),
  phone: await seen("usual", { viewport: { width: 375, height: 800 } }),
  dark: await seen("usual", { colorScheme: "dark" }),
  vectors: await seen("vectors", { viewport: { width: 375, height: 800 } }),
  hostile: await seen("hostile"),
  many: await seen("many"),
  openings: [await opening("many"), await opening("many"), await opening("many")],
  faults: { light: await faults("light"), dark: await faults("dark") },
  used: await used(),
  themes: await themes(),
  tabbed: await tabbed(),
  printed: await printed(),
  plain: await plain(),
  old: await old(),
};
await browser.close();
process.stdout.write(JSON.stringify(result));
