#!/usr/bin/env bash
# Makes the inputs that fuzzing begins with, from images that skopeo, umoci and buildah write, and by hand where none of them writes
# a form. What it makes is committed: run it again only to add to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec </dev/null

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
put() { # target, name; the bytes on standard input
  mkdir -p "corpus/$1"
  cat >"corpus/$1/$2"
}

# A small tree, with a fixed time so that each run makes the same bytes.
mkdir -p "$work/tree/unikraft/bin" "$work/tree/etc"
echo 'a=1 -- /server -v' >"$work/tree/unikraft/cmdline.txt"
head -c 700 /dev/zero | tr '\0' k >"$work/tree/unikraft/bin/kernel"
head -c 300 /dev/zero | tr '\0' i >"$work/tree/unikraft/bin/initrd"
echo 'root:x:0:0::/:/bin/sh' >"$work/tree/etc/passwd"
tarred() { # name, options of tar
  tar --blocking-factor=1 --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$work/tree" -cf "$work/$1.tar" "${@:2}"
}
tarred tree .
tarred kernel unikraft/bin/kernel
tarred initrd unikraft/bin/initrd
tarred cmdline unikraft/bin/kernel unikraft/cmdline.txt
tarred pax --format=pax unikraft/bin/initrd
tarred gnu --format=gnu unikraft/bin/initrd
for tar in tree kernel initrd cmdline pax gnu; do
  put tar "$tar" <"$work/$tar.tar"
  gzip -9nc "$work/$tar.tar" | put layer "$tar.gz"
  zstd -qc19 "$work/$tar.tar" | put layer "$tar.zst"
done
put layer plain <"$work/cmdline.tar"
# Damaged: cut in the middle, and with one wrong byte.
head -c 90 corpus/layer/cmdline.gz | put layer cut.gz
head -c 90 corpus/layer/cmdline.zst | put layer cut.zst

# Images of umoci, skopeo and buildah.
layout=$work/layout
umoci init --layout "$layout"
umoci new --image "$layout:latest"
umoci raw add-layer --image "$layout:latest" "$work/cmdline.tar"
umoci config --image "$layout:latest" --config.entrypoint /server --config.cmd -v --config.env A=1 --config.env 'B=ü' \
  --config.label org.example=yes --config.user 1000 --created 2024-01-02T03:04:05Z
skopeo copy --quiet --format v2s2 "oci:$layout:latest" "dir:$work/docker"
container=$(buildah from scratch)
buildah add --quiet "$container" "$work/tree/etc" /etc >/dev/null
buildah config --cmd '["sh","-c","echo"]' --env PATH=/bin --annotation org.example=1 "$container"
buildah commit --quiet --timestamp 0 "$container" "oci:$work/buildah:1" >/dev/null
buildah rm "$container" >/dev/null

put index umoci <"$layout/index.json"
put index buildah <"$work/buildah/index.json"
put manifest docker <"$work/docker/manifest.json"
for image in layout buildah; do
  folder=$work/$image
  digest=$(jq -r '.manifests[0].digest' "$folder/index.json")
  manifest=$folder/blobs/${digest/:/\/}
  put manifest "$image" <"$manifest"
  config=$(jq -r .config.digest "$manifest")
  put config "$image" <"$folder/blobs/${config/:/\/}"
done

# What no tool here writes.
one=sha256:$(printf one | sha256sum | cut -d' ' -f1)
two=sha512:$(printf two | sha512sum | cut -d' ' -f1)
oci=application/vnd.oci.image
descriptor() { printf '{"mediaType":"%s","digest":"%s","size":%d%s}' "$oci.$1" "$2" "$3" "${4:-}"; }
printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[%s,%s,%s],"annotations":{"a":"b"}}' $oci \
  "$(descriptor manifest.v1+json "$one" 1 ',"platform":{"os":"kraftcloud","architecture":"x86_64"}')" \
  "$(descriptor manifest.v1+json "$two" 2 ',"platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}')" \
  "$(descriptor index.v1+json "$one" 3)" | put manifest index
printf '{"schemaVersion":2,"artifactType":"application/example","config":%s,"layers":[%s],"subject":%s}' \
  "$(descriptor empty.v1+json "$one" 2)" "$(descriptor layer.nondistributable.v1.tar "$two" 7 ',"urls":["https://a.invalid/"]')" \
  "$(descriptor manifest.v1+json "$one" 3)" | put manifest referrer
printf '{"schemaVersion":2,"manifests":[%s,%s,%s]}' \
  "$(descriptor manifest.v1+json "$one" 1 ',"annotations":{"org.opencontainers.image.ref.name":"docker.io/library/a:1"}')" \
  "$(descriptor index.v1+json "$two" 2 ',"annotations":{"org.opencontainers.image.ref.name":"v2"}')" \
  "$(descriptor layer.v1.tar "$two" 2 ',"annotations":{"org.opencontainers.image.ref.name":"v2"}')" | put index tags
printf '{"rootfs":{},"created":null,"config":{"Entrypoint":"one","Cmd":null,"Env":["A=\\ud83d\\ude00",1],"Labels":{"a":null,"b":"\\ud800"}}}' | put config odd
printf '{"interface":{},"rootfs":{},"os":"linux","architecture":"amd64","config":{"Env":null}}' | put config plugin

printf 'alice/web:v1.2_3' | put reference tag
printf 'hello@%s' "$one" | put reference digest
printf 'alice/team.a/b--c__d/index.json' | put reference index
printf 'alice/app/blobs/%s/%s' sha512 "${two#*:}" | put reference blob
printf 'alice/app/blobs/uploads/%s' 12245ef7396ea13964dc830ddc736ab4 | put reference upload
printf 'a/b-c\na/b.c' | put reference order
printf '%s' "$two" | put reference sha512
secret=$(printf secret | sha256sum | cut -d' ' -f1)
# shellcheck disable=SC2016 # robot$ is a prefix
pair='robot$alice.users.kraftcloud:90fc6d5c.'$secret
printf '%s' "$pair" | put token pair
printf '%s' "$pair" | base64 -w0 | put token text
printf 'alice:90fc6d5c.%s' "$secret" | base64 -w0 | put token basic
printf 'alice:%s' "$(base64 -w0 corpus/token/pair)" | base64 -w0 | put token nested
printf '100 bytes=10-19' | put range closed
printf '100 bytes=90-' | put range open
printf '100 bytes=-5' | put range suffix
printf '9223372036854775807 bytes=1-99999999999999999999' | put range long
printf 'x 0-1048575' | put range chunk
printf 'x bytes 5-9/*' | put range content
printf 'namespace=alice/web&tagged&limit=10&after=alice/web%%40%s\n' "$one" | put list query
printf 'digest=alice/web@%s&digest=hello@%s&tag=alice/web:1' "$one" "$one" | put list several
printf 'namespace=alice\n[{"digest":"alice/web@%s"},{"tag":"alice/web:1","digest":"no"}]' "$one" | put list batch
printf "\n'{'tag':'alice/web:1'}'" | put list quotes
printf 'details=true&namespace=alice&namespace=official/hello' | put list repositories
printf '[{"url":"https://index.unikraft.io/alice/web:1","timeout_s":-1,"autokill":{"time_ms":1000},"headers":{"a":"b"},"pull_policy":"always","merge_requests":true}]' | put pin pin
printf '[{"uuid":"0c0e9d6e-6f7b-4a3b-8a53-2f1d3b1c9f10"}]' | put pin unpin
printf '{"immutable":[{"repositories":["web/**"],"tags":["v*"]}]}' | put rules immutable
printf '{"retention":[{"repositories":["**"],"keep":{"newest":10,"tags":["release-*"]},"remove":{"untagged_after":"7d","not_pushed_for":"90d"}}]}' | put rules retention
printf '{"retention":[{"repositories":["a","b/*"],"keep":{"newest":1}},{"repositories":["**/c"],"remove":{"not_pulled_for":"30d"}}]}' | put rules kept
printf 'faul' | put planted near

find corpus -type f | wc -l
du -sb corpus
