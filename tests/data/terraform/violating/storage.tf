resource "openstack_objectstorage_container_v1" "ho_so" {
  name           = "ho-so-cong-dan"
  container_read = ".r:*,.rlistings"

  metadata = {
    data_class = "important"
  }
}

resource "aws_s3_bucket" "ho_so" {
  bucket = "ho-so-cong-dan"
  acl    = "public-read"

  tags = {
    system_id  = "cong-dich-vu"
    data_class = "important"
  }
}

resource "aws_s3_bucket" "sao_luu" {
  bucket = "sao-luu"
  acl    = "private"

  tags = {
    role = "backup"
  }
}

resource "aws_s3_bucket_policy" "sao_luu" {
  bucket = aws_s3_bucket.sao_luu.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "moi-nguoi"
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::sao-luu/*"
    }]
  })
}
