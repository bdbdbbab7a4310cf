/**
 * Keys and certificates for tests of TLS: EC P-256, good from 2020 to 2120. The authority's key was thrown away.
 *
 * They prove nothing to anybody: the keys are public.
 *
 * @module
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A key and its certificate, in PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** Signed the server and the client, and itself. */
export const authority: string = `-----BEGIN CERTIFICATE-----
MIIBezCCASGgAwIBAgIBATAKBggqhkjOPQQDAjAkMSIwIAYDVQQDDBlhc3luY2lv
LXRzIHRlc3QgYXV0aG9yaXR5MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAw
MDAwWjAkMSIwIAYDVQQDDBlhc3luY2lvLXRzIHRlc3QgYXV0aG9yaXR5MFkwEwYH
KoZIzj0CAQYIKoZIzj0DAQcDQgAENOpSWo/Q72wrQ0woJ4ALGnEWmaFkXBjIUVJA
yL7/RmDIlMtDm1fAeP6wjELZt8M/lIwAhHhVJl8WH86BH1t7SqNCMEAwDwYDVR0T
AQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFA/2DXNchP5COVrG
rtDlQFB47XYzMAoGCCqGSM49BAMCA0gAMEUCIHobLHo+oKvXuw1L++PbOXicgNNv
9jSQJ6NT2QPVKgfXAiEA1UoaZFSEo1PdXDqcaFjO/DuTBOs8MrZUnLY6gRYiK2s=
-----END CERTIFICATE-----
`;

/** CN=localhost, good for localhost and 127.0.0.1. */
export const server: Identity = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeaxE8Fk9Y72ufgno
lNGkD7jeE5Us6u71nBFFHpGoK+GhRANCAATg44aG+mdNayed+pPGvkNUpvKe9PEY
XFu3pn4Ig2CMHjx31JxfCAfc+BCyxawuYXDvp9LIqs6ESYcOjSTIkAke
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBvTCCAWKgAwIBAgIBAjAKBggqhkjOPQQDAjAkMSIwIAYDVQQDDBlhc3luY2lv
LXRzIHRlc3QgYXV0aG9yaXR5MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAw
MDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAATg44aG+mdNayed+pPGvkNUpvKe9PEYXFu3pn4Ig2CMHjx31JxfCAfc+BCy
xawuYXDvp9LIqs6ESYcOjSTIkAkeo4GSMIGPMAwGA1UdEwEB/wQCMAAwDgYDVR0P
AQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMBoGA1UdEQQTMBGCCWxvY2Fs
aG9zdIcEfwAAATAdBgNVHQ4EFgQU4b15qDOkM3BlzRFTAEGNvqSMWL8wHwYDVR0j
BBgwFoAUD/YNc1yE/kI5Wsau0OVAUHjtdjMwCgYIKoZIzj0EAwIDSQAwRgIhAPG3
4rZ2DzgFMhQ/gyZ+2q4FmI9Exar5GHm+MznRiBoYAiEA81Mp22yo9+1yAJW+m2Mq
NaXKIcDpBh8E5OMyi8oa+2o=
-----END CERTIFICATE-----
`,
};

/** CN=a client, good for clients alone. */
export const client: Identity = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgj3iGmOP0B13xit5F
Qh7AQbOtJaSg5IH2137GTSE58YChRANCAAQYrruXmEYHgZTtL5b/vP/EwzVBV3FT
i7Xfj9XDrhi40gQgmfuKFPWdX5EkFT6FQVOsrPjBhb1JAc02dd35z0hC
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUOgAwIBAgIBAzAKBggqhkjOPQQDAjAkMSIwIAYDVQQDDBlhc3luY2lv
LXRzIHRlc3QgYXV0aG9yaXR5MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAw
MDAwWjATMREwDwYDVQQDDAhhIGNsaWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABBiuu5eYRgeBlO0vlv+8/8TDNUFXcVOLtd+P1cOuGLjSBCCZ+4oU9Z1fkSQV
PoVBU6ys+MGFvUkBzTZ13fnPSEKjdTBzMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/
BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMCMB0GA1UdDgQWBBQeDGHkL/dtkfHU
TEOoYxBd9HN9xjAfBgNVHSMEGDAWgBQP9g1zXIT+Qjlaxq7Q5UBQeO12MzAKBggq
hkjOPQQDAgNHADBEAiAWwNWEuxT97jQmASE5nlUukltU3pgEg/WiAdAz2S16xgIg
e41DxtxxbSm7th2T+tWrMqzp/2PKIBqMrQMFrGj2doU=
-----END CERTIFICATE-----
`,
};

/** Says it is localhost, and has no address; signed by nobody but itself. */
export const stranger: Identity = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8KmHUmfVLWEXD96D
yupqdZP+foZQig3UYUb3saJzbz6hRANCAASdpe07OUlBcetKuhXjadcqzkvH1U3h
1pOKZye3siI8yDk2Q2vf1UH2e43/s1d0Wi+vR2N/y+mlLMaa2pS48pK6
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBTzCB9qADAgECAgEFMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnaXtOzlJQXHrSroV
42nXKs5Lx9VN4daTimcnt7IiPMg5NkNr39VB9nuN/7NXdFovr0djf8vppSzGmtqU
uPKSuqM3MDUwFAYDVR0RBA0wC4IJbG9jYWxob3N0MB0GA1UdDgQWBBQCmPTn6VIX
16aMhe1bxHyfsbfvZTAKBggqhkjOPQQDAgNIADBFAiBkx7LuCiocaj1njQgtovwk
1GBRCS/OsdepE5I+1kLBbAIhAMwVrQEOUiYwjEZN7ZXFqehzjI2yd40VXuXhHHNX
OFLF
-----END CERTIFICATE-----
`,
};

/** The files of programs that read keys and certificates from files. */
export interface CertificateFiles {
  readonly authority: string;
  readonly server: { readonly key: string; readonly cert: string };
  readonly client: { readonly key: string; readonly cert: string };
  readonly stranger: { readonly key: string; readonly cert: string };
}

/** Writes all of them to a folder that is gone after the test. */
export function certificateFiles(): CertificateFiles {
  const folder = temporaryFolder();
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const pair = (name: string, { key, cert }: Identity): { key: string; cert: string } => ({
    key: write(`${name}.key`, key),
    cert: write(`${name}.pem`, cert),
  });
  return {
    authority: write("authority.pem", authority),
    server: pair("server", server),
    client: pair("client", client),
    stranger: pair("stranger", stranger),
  };
}

/** A folder that is gone after the test. Its path is short, as paths of Unix sockets have to be. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "peer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
