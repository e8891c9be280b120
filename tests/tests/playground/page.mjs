// A browser on the playground's page, for the visits beside this file:
//
//   node VISIT.mjs PACKAGES CHROMIUM URL VOICE.wav PICTURES
//
// Writes a line of JSON when the page has its room, and one at the end: `report`, or `failed` with
// a picture of the page as it was then. Each wait is for something on the page, under a limit.

import { createRequire } from "node:module";

const [packages, executablePath, url, voice, pictures] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");

const LIMIT_MS = 30_000;
const tell = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox", "--headless=new", "--disable-background-networking",
    "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${voice}`,
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
  ],
});
export const page = await browser.newPage({ viewport: { width: 1440, height: 1100 } });
page.setDefaultTimeout(LIMIT_MS);

const complaints = [];
const hosts = new Set();
page.on("console", (line) => {
  if (["error", "warning"].includes(line.type())) complaints.push(`${line.type()}: ${line.text()}`);
});
page.on("pageerror", (error) => complaints.push(`exception: ${error}`));
page.on("requestfailed", (request) => {
  complaints.push(`request: ${request.url()}: ${request.failure()?.errorText}`);
});
page.on("request", (request) => hosts.add(new URL(request.url()).host));
page.on("websocket", (socket) => hosts.add(new URL(socket.url()).host));

/** Waits until the element has this text. */
export const reads = (id, text) => page.locator(`#${id}`).filter({ hasText: text }).waitFor();
/** Waits until the conversation has this line, or the nth further one like it. */
export const hears = (text, nth = 0) =>
  page.locator("#lines li").filter({ hasText: text }).nth(nth).waitFor();
/** Waits until the meter shows more than `dbfs`, and gives what it shows. */
export const louder = async (id, dbfs) => {
  const shown = await page.waitForFunction(([id, dbfs]) => {
    const { value } = document.getElementById(id);
    return value > dbfs && value;
  }, [id, dbfs]);
  return shown.jsonValue();
};
const cells = (id) => page.locator(`#${id} tbody tr`).evaluateAll((rows) =>
  rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
export const picture = (name) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });

/** Opens the page, presses the button, and tells the room. */
export async function join() {
  await page.goto(url);
  const [answer] = await Promise.all([
    page.waitForResponse((it) => it.url().endsWith("/api/token")),
    page.getByRole("button", { name: "Start talking" }).click(),
  ]);
  const { token } = await answer.json();
  tell({ room: JSON.parse(Buffer.from(token.split(".")[1], "base64url")).video.room });
  await reads("connection", /^connected$/);
}

/** Waits until an element plays the agent's voice. */
export const plays = () => page.waitForFunction(() => {
  const player = document.querySelector("#sound audio");
  return player !== null && !player.paused && player.currentTime > 0;
});

/** Writes to the agent. */
export async function write(text) {
  await page.getByLabel("Write to the agent").fill(text);
  await page.getByLabel("Write to the agent").press("Enter");
}

/** Mutes, and gives the level that is shown then. */
export async function mute() {
  await page.getByRole("button", { name: "Mute", exact: true }).click();
  await page.getByRole("button", { name: "Unmute" }).waitFor();
  await page.waitForFunction(() => document.getElementById("mic-level").value <= -60);
}

/** Hangs up, and waits until the page can call again. */
export async function hangUp() {
  await page.getByRole("button", { name: "Hang up" }).click();
  await reads("connection", "not connected");
  await page.getByRole("button", { name: "Start talking" }).waitFor();
}

async function shown() {
  const problem = page.locator("#problem");
  if (await problem.isVisible()) complaints.push(`shown: ${await problem.textContent()}`);
  return {
    conversation: await page.locator("#lines li").evaluateAll((lines) =>
      lines.map((line) => [...line.children].map((part) => part.textContent).join(": "))),
    live_edges: await page.locator("#graph text.live").count(),
    edges: await cells("edges"),
    turns: await cells("turns"),
    complaints,
    hosts: [...hosts].sort(),
  };
}

/** Does `visit`, whose result the report includes, and ends the process. */
export async function run(visit) {
  try {
    tell({ report: { ...(await visit()), ...(await shown()) } });
  } catch (error) {
    await picture("failed");
    tell({ failed: `${error.stack}\n${complaints.join("\n")}` });
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
