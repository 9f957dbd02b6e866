// Every image, metro and authorization call of the vendor's own client, one line of JSON each: what it returned or threw.
//   node vendor.mjs <base address> <token> <repository> <digest>
import { ControlPlaneApi, PlatformApi, UnikraftCloud } from "@unikraft/cloud";

const [base, token, repository, digest] = process.argv.slice(2);
const platform = new PlatformApi({ baseUrl: base, token });
const controlPlane = new ControlPlaneApi({ baseUrl: `${base}/controlplane`, token });

async function tell(name, call) {
  try {
    console.log(JSON.stringify({ name, returned: await call() }));
  } catch (error) {
    console.log(JSON.stringify({ name, threw: error.message, status: error.status, kind: error.kind }));
  }
}

const first = async (generator) => (await generator.next()).value;

await tell("getImages", () => platform.images.getImages());
await tell("getImages by tag", () => platform.images.getImages({ tag: `${repository}:v1` }));
await tell("getImages by digest", () => platform.images.getImages({ digest: `${repository}@${digest}` }));
await tell("getImages of a malformed tag", () => platform.images.getImages({ tag: "no tag" }));
await tell("getImageStore", () => platform.images.getImageStore());
await tell("pinImages", async () => {
  const pinned = await platform.images.pinImages({ body: [{ url: `${repository}:v1`, timeout_s: -1 }] });
  const { uuid } = pinned.data.images[0];
  const shown = await platform.images.getImages({ tag: `${repository}:v1` });
  const unpinned = await platform.images.unpinImages({ body: [{ uuid }] });
  return { pinned, shown, unpinned };
});
await tell("pinImages elsewhere", () =>
  platform.images.pinImages({
    body: [
      { url: `${repository}:v1`, timeout_s: 1, autokill: { time_ms: 1 } },
      { url: "docker.io/library/alpine:3.20", timeout_s: 1 },
    ],
  }),
);
await tell("listImages", () => controlPlane.images.listImages());
await tell("listImages with details", () =>
  controlPlane.images.listImages({ details: true, namespace: [repository.split("/")[0], "official"] }),
);
await tell("listMetros", () => controlPlane.metros.listMetros());
await tell("getAuthorization", () => controlPlane.auth.getAuthorization());
await tell("requestSignin", () => controlPlane.auth.requestSignin({ body: { request_id: "1" } }));
await tell("checkAuthorization", () => first(controlPlane.auth.checkAuthorization({ body: { request_id: "1" } })));
await tell("without a token", () =>
  new PlatformApi({ baseUrl: base, token: "none" }).images.getImages(),
);
await tell("availableMetros", () =>
  new UnikraftCloud({ token, controlPlaneUrl: `${base}/controlplane` }).availableMetros(),
);
