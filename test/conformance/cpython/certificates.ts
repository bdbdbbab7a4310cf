/**
 * A key and a certificate for tests, signed by itself: EC P-256, `CN=localhost`, the names `localhost` and `127.0.0.1`,
 * good from 2024 to 2124. It protects nothing: the key is public.
 *
 * Made with `openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt`,
 * `openssl req -new -subj /CN=localhost` and `openssl ca -selfsign -startdate 20240101000000Z -enddate 21240101000000Z`
 * with the extension `subjectAltName = DNS:localhost,IP:127.0.0.1`.
 *
 * @module
 */

export const key: string = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMAcE8lstlStToBu9
vioJEk45BSJJbmgFmmNmVlqNzvihRANCAAQCvyHCIzs076JnFRPTvaimYCbZB2wj
bvhkOEM5orKUG9JqEBzOw6k5ldRjWpUjmfbTk0k4oh2jYjjNZcmBGFMl
-----END PRIVATE KEY-----
`;

export const cert: string = `-----BEGIN CERTIFICATE-----
MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjQwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAK/IcIjOzTvomcV
E9O9qKZgJtkHbCNu+GQ4QzmispQb0moQHM7DqTmV1GNalSOZ9tOTSTiiHaNiOM1l
yYEYUyWjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0
hwR/AAABMB0GA1UdDgQWBBQaFrIeK4rO7gonILVHsCVTtG/QOTAKBggqhkjOPQQD
AgNHADBEAiBNSJbRVkI0ZogXE3KPGzkz8UlidwiTzBLH7H5561o0bwIgaiUtR449
i4KZroKvmUjta9PVoTg6zI+f/OV+qw8rEGs=
-----END CERTIFICATE-----
`;
