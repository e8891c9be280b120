// A visit of a room with an agent that does by script what `talk.rs` says.

import {
  hangUp, hears, join, louder, mute, page, picture, plays, reads, run, write,
} from "./page.mjs";

await run(async () => {
  await join();
  await reads("pipeline", "clinic");
  await reads("agent", "speaking");
  const mic_dbfs = await louder("mic-level", -50);
  const agent_dbfs = await louder("agent-level", -18);
  await plays();
  await hears("I would like an appointment.");
  await hears("Good morning, this is the clinic.");

  await page.getByRole("button", { name: "Interrupt" }).click();
  await reads("agent", "listening");

  await write("Is Tuesday free?");
  await hears("You wrote: Is Tuesday free?");

  await page.locator("#turns tbody tr").first().waitFor();
  await page.locator("#graph text.live").first().waitFor();
  await picture("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture("dark");
  await page.setViewportSize({ width: 420, height: 900 });
  await picture("narrow");

  await mute();
  await hears("You are muted.");
  await hangUp();
  return { mic_dbfs, agent_dbfs };
});
