#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# probe.sh RELEASE FOLDER HEADER COMPILER FLAGS…
# Compiles each FOLDER/NAME.c; HEADER gets EVRING_HAVE_NAME as 1 or 0. Features
# are found by trying, for stable kernels take them back to old versions.
set -u
release=$1
folder=$2
header=$3
shift 3

{
	echo "/* SPDX-License-Identifier: GPL-2.0-only */"
	echo "/* Written by probe.sh: what $release offers. */"
	for source in "$folder"/*.c; do
		name=$(basename "$source" .c | tr '[:lower:]' '[:upper:]')
		if "$@" -DKBUILD_MODNAME='"probe"' -DKBUILD_BASENAME='"probe"' -DMODULE -Werror \
			-fsyntax-only "$source" 2>"$header.$name.log"; then
			echo "#define EVRING_HAVE_$name 1"
		else
			echo "#define EVRING_HAVE_$name 0"
		fi
		rm -f "$header.$name.log"
	done
} >"$header.new" && mv "$header.new" "$header"
