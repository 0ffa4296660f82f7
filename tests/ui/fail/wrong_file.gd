/// A wrong model in a file of its own.
model InFile {
	input  x: [4];
	target y: [];
	output p = sum(x);
	loss (p - missing)^2;
	optimizer sgd(lr = 0.1);
	train { batch = 4; epochs = 1; }
}
