// A visit of a clinic that is somewhere else: the page has a token and no more. The microphone asks
// for an appointment, is silent for some seconds, agrees, and is silent again.

import { hangUp, hears, join, louder, picture, plays, run, write } from "./page.mjs";

await run(async () => {
  await join();
  const [agent_dbfs] = await Promise.all([
    louder("agent-level", -40),
    hears("Riverside Clinic, good morning. How can I help you?"),
    plays(),
  ]);
  const [mic_dbfs] = await Promise.all([
    louder("mic-level", -50),
    hears("Sorry, can I see a doctor on Tuesday?"),
    hears("Shall I book Doctor Hart for you?"),
  ]);
  await hears("Yes, please.");
  await hears("It is booked.");
  await write("When are you open this week?");
  await hears("We are open Monday to Friday");
  await picture("booking");
  await hangUp();
  return { mic_dbfs, agent_dbfs };
});
