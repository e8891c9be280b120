// A visit of the clinic's agent, as `voicegraph playground` starts it. The microphone is silent for
// some seconds, asks a question, and is silent again.

import {
  hangUp, hears, join, louder, page, picture, plays, reads, run, write,
} from "./page.mjs";

await run(async () => {
  await join();
  await reads("pipeline", "clinic");
  const [agent_dbfs] = await Promise.all([
    louder("agent-level", -40),
    hears("Riverside Clinic, good morning. How can I help you?"),
    plays(),
  ]);
  const [mic_dbfs] = await Promise.all([
    louder("mic-level", -50),
    hears("Hello, when are you open this week?"),
    hears("We are open Monday to Friday"),
  ]);

  await write("When are you open this week?");
  await hears("We are open Monday to Friday", 1);
  await reads("agent", "speaking");
  await page.getByRole("button", { name: "Interrupt" }).click();
  await reads("agent", "listening");

  // What was written interrupted one answer, and the button the next: neither ended by itself.
  await page.locator("#turns tbody tr").filter({ hasText: "interrupted" }).nth(1).waitFor();
  await page.locator("#graph text.live").nth(6).waitFor();
  await picture("clinic");
  await hangUp();
  return { mic_dbfs, agent_dbfs };
});
