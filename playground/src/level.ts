// How loud a track is, on a meter.

/** What a meter shows of silence and of what is quieter, in dBFS. */
const FLOOR_DBFS = -60;

/** Samples in one look: 43 ms at 48 kHz. */
const WINDOW = 2_048;

/** The time between two looks. */
const PERIOD_MS = 100;

/** Shows the loudness of one track at a time. */
export class Level {
  readonly #meter: HTMLMeterElement;
  #context: AudioContext | undefined;
  #timer: number | undefined;
  #track: MediaStreamTrack | undefined;

  constructor(meter: HTMLMeterElement) {
    this.#meter = meter;
  }

  /** Measures `track` from now on; `undefined` is silence. */
  show(track: MediaStreamTrack | undefined): void {
    if (track === this.#track) return;
    this.#track = track;
    window.clearInterval(this.#timer);
    void this.#context?.close();
    this.#context = undefined;
    this.#set(FLOOR_DBFS);
    if (track === undefined) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: WINDOW });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(WINDOW);
    this.#context = context;
    this.#timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.#set(track.enabled ? level(samples) : FLOOR_DBFS);
    }, PERIOD_MS);
  }

  #set(dbfs: number): void {
    this.#meter.value = Math.max(FLOOR_DBFS, dbfs);
    this.#meter.textContent = `${Math.round(this.#meter.value)} dBFS`;
  }
}

/** The root mean square of samples between -1 and 1, in dBFS. */
export function level(samples: Float32Array): number {
  const squares = samples.reduce((sum, sample) => sum + sample * sample, 0);
  return 10 * Math.log10(squares / samples.length);
}
